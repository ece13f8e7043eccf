#include "kept.h"

#include "asked.h"

#include <string.h>

enum { EXACT_DIGITS = 15, ZEROS_BEFORE = 3 };

/* Whether a number is written as msgspec writes what it reads there. A decimal of up to 15 digits is the shortest one
   that gives its double (DBL_DIG of C), and an exponent is only written for those much larger or smaller. */
static bool is_shortest(const Text *value)
{
    Place at = value->start, end = at + value->length;
    bool negative = at < end && *at == '-';
    at += negative;
    Place whole = at;
    while (at < end && is_digit(*at))
        at++;
    int before = (int)(at - whole);
    if (at == end)
        return before <= EXACT_DIGITS && !(negative && *whole == '0');
    if (*at != '.')
        return false;
    Place fraction = ++at;
    while (at < end && is_digit(*at))
        at++;
    int after = (int)(at - fraction);
    if (at < end || before + after > EXACT_DIGITS || (after > 1 && at[-1] == '0'))
        return false;
    if (*whole != '0' || after == 1)
        return true;
    int zeros = 0;
    while (fraction[zeros] == '0') /* the last digit is none */
        zeros++;
    return zeros <= ZEROS_BEFORE;
}

bool keep(Kept *kept, const Text *name, const Text *value)
{
    unsigned char first = *value->start;
    if (first == '{' || first == '[' || kept->count == MOST_KEPT)
        return false;
    if (first != '"' && first != 't' && first != 'f' && first != 'n' && !is_shortest(value))
        return false;
    kept->names[kept->count] = *name;
    kept->values[kept->count++] = *value;
    return true;
}

/* As their texts are ordered: UTF-8 has the order of the characters. */
static int compared(const Text *one, const Text *other)
{
    int least = one->length < other->length ? one->length : other->length;
    int order = memcmp(one->start, other->start, (size_t)least);
    return order ? order : one->length - other->length;
}

bool sort_kept(Kept *kept)
{
    for (int at = 1; at < kept->count; at++) {
        Text name = kept->names[at], value = kept->values[at];
        int to = at;
        for (; to; to--) {
            int order = compared(&name, &kept->names[to - 1]);
            if (!order)
                return false;
            if (order > 0)
                break;
            kept->names[to] = kept->names[to - 1];
            kept->values[to] = kept->values[to - 1];
        }
        kept->names[to] = name;
        kept->values[to] = value;
    }
    return true;
}

static char *copied(char *to, const Text *text)
{
    memcpy(to, text->start, (size_t)text->length);
    return to + text->length;
}

bool add_kept(Kept *kept)
{
    if (!kept->found)
        return true;
    char text[LONGEST_LINE + 2], *to = text; /* no more than the line has */
    for (int at = 0; at < kept->count; at++) {
        if (*kept->values[at].start == 'n') /* null is absent */
            continue;
        *to = to > text ? ',' : '{';
        to++;
        *to++ = '"';
        to = copied(to, &kept->names[at]);
        *to++ = '"';
        *to++ = ':';
        to = copied(to, &kept->values[at]);
    }
    if (to > text)
        *to++ = '}';
    PyObject *made = PyUnicode_FromStringAndSize(text, (Py_ssize_t)(to - text));
    bool added = made && PyList_Append(kept->found, made) == 0;
    Py_XDECREF(made);
    return added;
}
