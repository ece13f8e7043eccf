#include "door.h"

#include <stdlib.h>
#include <string.h>

static bool is_of_kind(const Py_buffer *view, char kind)
{
    const char *format = view->format ? view->format : "B";
    if (*format == '@' || *format == '=')
        format++;
    if (strlen(format) != 1)
        return false;
    switch (kind) {
    case 'd':
        return *format == 'd' && view->itemsize == 8;
    case 'q':
        return strchr("qln", *format) && view->itemsize == 8;
    case 'i':
        return strchr("il", *format) && view->itemsize == 4;
    default:
        return strchr("?bB", *format) && view->itemsize == 1;
    }
}

static const char *in_words(char kind)
{
    return kind == 'd' ? "float64" : kind == 'q' ? "int64" : kind == 'i' ? "int32" : "bool, int8 or uint8";
}

bool open_columns(PyObject *const *objects, Py_ssize_t given, const Expected *expected, int count, Column *columns)
{
    memset(columns, 0, sizeof *columns * (size_t)count);
    if (given != count) {
        PyErr_Format(PyExc_TypeError, "%zd columns: expected %d", given, count);
        return false;
    }
    for (int at = 0; at < count; at++) {
        Py_buffer *view = &columns[at].view;
        if (PyObject_GetBuffer(objects[at], view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0)
            return false;
        if (view->ndim != 1 || !is_of_kind(view, expected[at].kind)) {
            PyErr_Format(PyExc_TypeError, "%s: %d dimensions of format %s: expected one of %s", expected[at].name,
                         view->ndim, view->format ? view->format : "B", in_words(expected[at].kind));
            return false;
        }
        columns[at].items = view->buf;
        columns[at].length = view->len / view->itemsize;
    }
    return true;
}

void close_columns(Column *columns, int count)
{
    for (int at = 0; at < count; at++)
        if (columns[at].view.obj)
            PyBuffer_Release(&columns[at].view);
}

bool has_length(const Column *column, const Expected *expected, int64_t length)
{
    if (column->length == length)
        return true;
    PyErr_Format(PyExc_ValueError, "%s: %lld items: expected %lld", expected->name, (long long)column->length,
                 (long long)length);
    return false;
}

bool make_bytes(PyObject **made, int count, const int64_t *bytes)
{
    memset(made, 0, sizeof *made * (size_t)count);
    for (int at = 0; at < count; at++)
        if (!(made[at] = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)bytes[at])))
            return false;
    return true;
}

PyObject *given_out(PyObject **made, int count, const int64_t *bytes)
{
    PyObject *tuple = PyTuple_New(count);
    for (int at = 0; tuple && at < count; at++) {
        if (PyByteArray_Resize(made[at], (Py_ssize_t)bytes[at]) < 0) {
            Py_DECREF(tuple);
            return NULL;
        }
        Py_INCREF(made[at]);
        PyTuple_SetItem(tuple, at, made[at]);
    }
    return tuple;
}

void drop(PyObject **made, int count)
{
    for (int at = 0; at < count; at++)
        Py_XDECREF(made[at]);
}

bool make_room(Growing *column, size_t bytes)
{
    if (bytes > SIZE_MAX / 4 || column->used > SIZE_MAX / 4)
        return false;
    size_t room = 2 * (column->used + bytes);
    if (room < 1024)
        room = 1024;
    char *items = realloc(column->items, room);
    if (!items)
        return false;
    column->items = items;
    column->room = room;
    return true;
}

PyObject *taken(const Growing *columns, int count)
{
    PyObject *tuple = PyTuple_New(count);
    for (int at = 0; tuple && at < count; at++) {
        const char *items = columns[at].items ? columns[at].items : "";
        PyObject *bytes = PyByteArray_FromStringAndSize(items, (Py_ssize_t)columns[at].used);
        if (!bytes) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SetItem(tuple, at, bytes);
    }
    return tuple;
}
