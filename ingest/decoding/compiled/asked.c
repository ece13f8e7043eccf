#include "asked.h"

#include <string.h>

bool open_asked(PyObject *names, PyObject *texts, Asked *asked)
{
    memset(asked, 0, sizeof *asked);
    if (!PyTuple_Check(names) || PyTuple_Size(names) > MOST_NAMES || !PyDict_Check(texts)) {
        PyErr_Format(PyExc_TypeError, "expected a tuple of up to %d names, and a dict of texts", MOST_NAMES);
        return false;
    }
    asked->texts = texts;
    asked->count = (int)PyTuple_Size(names);
    for (int at = 0; at < asked->count; at++) {
        char *start;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(names, at), &start, &length) < 0)
            return false;
        asked->names[at] = (Text){(Place)start, length <= LONGEST_LINE ? (int)length : -1};
    }
    return !asked->count || (asked->found = PyList_New(0));
}

int asked_name(const Asked *asked, const Text *name)
{
    for (int at = 0; at < asked->count; at++)
        if (asked->names[at].length == name->length &&
            !memcmp(asked->names[at].start, name->start, (size_t)name->length))
            return at;
    return -1;
}

/* The values with a line end between two of them, as the key of their text. */
static PyObject *key_of(const Asked *asked)
{
    char joined[LONGEST_LINE + MOST_NAMES];
    size_t length = 0;
    for (int at = 0; at < asked->count; at++) {
        const Text *value = &asked->values[at];
        if (at)
            joined[length++] = '\n';
        if (value->length) /* parts of one line, none of which overlap: there is room for all */
            memcpy(joined + length, value->start, (size_t)value->length);
        length += (size_t)value->length;
    }
    return PyBytes_FromStringAndSize(joined, (Py_ssize_t)length);
}

bool add_asked(Asked *asked)
{
    if (!asked->count)
        return true;
    PyObject *key = key_of(asked), *text = NULL;
    if (key && (text = PyDict_GetItemWithError(asked->texts, key)))
        Py_INCREF(text);
    else if (key && !PyErr_Occurred())
        text = PyObject_GetItem(asked->texts, key); /* made, and remembered */
    bool added = text && PyList_Append(asked->found, text) == 0;
    Py_XDECREF(text);
    Py_XDECREF(key);
    return added;
}
