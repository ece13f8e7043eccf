/* Positions of the usual lines among many. */

#ifndef OVERFLY_POSITION_LINES_H
#define OVERFLY_POSITION_LINES_H

#include "scanning.h"

extern const char usual_positions_says[];
PyObject *usual_positions(PyObject *module, PyObject *const *objects, Py_ssize_t given);

#endif
