/* The module: what Python sees of the library. */

#include "position_lines.h"

static PyMethodDef methods[] = {
    {"usual_positions", (PyCFunction)(void (*)(void))usual_positions, METH_FASTCALL, usual_positions_says},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef library = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "library",
    .m_doc = "Usual lines of positions, read in C; see ingest/decoding/usual_lines.py.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_library(void)
{
    return PyModuleDef_Init(&library);
}
