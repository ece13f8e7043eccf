#ifndef OVERFLY_FIXES_H
#define OVERFLY_FIXES_H

#include "door.h"

PyObject *numbered_fixes(PyObject *module, PyObject *const *objects, Py_ssize_t given);
PyObject *changes_at_fixes(PyObject *module, PyObject *const *objects, Py_ssize_t given);

extern const char numbered_fixes_says[], changes_at_fixes_says[];

#endif
