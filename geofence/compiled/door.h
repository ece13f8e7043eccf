/* The door of the library: what Python hands over is looked at here.

   Columns come in as buffers, one after the other, in the order in which a function expects them. What they
   hold is not trusted any further: each number that leads into another column is compared with its length
   where it is used. Nobody may write to them meanwhile. */

#ifndef OVERFLY_DOOR_H
#define OVERFLY_DOOR_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000 /* one library for Python 3.11 and all that follow */
#include <Python.h>

#include <float.h>
#include <stdbool.h>
#include <stdint.h>

#if FLT_EVAL_METHOD != 0
#error "doubles must be rounded after each operation (on i386: -msse2 -mfpmath=sse)"
#endif

/* Asks for memory that will be read soon. */
#if defined(__GNUC__)
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address) ((void)0)
#endif

typedef struct {
    Py_buffer view;
    const void *items;
    int64_t length;
} Column;

typedef struct {
    const char *name;
    char kind; /* d: float64, q: int64, i: int32, b: bool, int8 or uint8 */
} Expected;

/* Columns of the objects, or false and an exception. Those that are open are to be closed. */
bool open_columns(PyObject *const *objects, Py_ssize_t given, const Expected *expected, int count, Column *columns);
void close_columns(Column *columns, int count);

/* Whether a column has so many items; else an exception. */
bool has_length(const Column *column, const Expected *expected, int64_t length);

/* What is given back: bytearrays, so many bytes each, to be filled without Python; false and an exception where
   there is no memory. `given_out` makes them as long as they were filled, and a tuple; or NULL and an exception.
   Either way they are to be dropped. */
bool make_bytes(PyObject **made, int count, const int64_t *bytes);
PyObject *given_out(PyObject **made, int count, const int64_t *bytes);
void drop(PyObject **made, int count);

/* A column that grows while it is filled, without Python; all zero is one without items, to be freed. */
typedef struct {
    char *items;
    size_t used, room; /* bytes */
} Growing;

/* Makes room for so many more bytes; false where there is no memory. */
bool make_room(Growing *column, size_t bytes);

/* So many more bytes, or NULL where there is no memory. */
static inline void *grow(Growing *column, size_t bytes)
{
    if ((!column->items || column->room - column->used < bytes) && !make_room(column, bytes))
        return NULL;
    void *added = column->items + column->used;
    column->used += bytes;
    return added;
}

/* What was filled, as a tuple of bytearrays, or NULL and an exception. */
PyObject *taken(const Growing *columns, int count);

#endif
