#ifndef OVERFLY_LOOK_UP_H
#define OVERFLY_LOOK_UP_H

#include "door.h"

PyObject *look_up(PyObject *module, PyObject *const *objects, Py_ssize_t given);

extern const char look_up_says[];

#endif
