/* The module: what Python sees of the library. */

#include "fixes.h"
#include "look_up.h"

static PyMethodDef methods[] = {
    {"numbered_fixes", (PyCFunction)(void (*)(void))numbered_fixes, METH_FASTCALL, numbered_fixes_says},
    {"changes_at_fixes", (PyCFunction)(void (*)(void))changes_at_fixes, METH_FASTCALL, changes_at_fixes_says},
    {"look_up", (PyCFunction)(void (*)(void))look_up, METH_FASTCALL, look_up_says},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {{0, NULL}};

static PyModuleDef library = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "library",
    .m_doc = "The loops of the compiled kernel; see geofence/kernels.py.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_library(void)
{
    return PyModuleDef_Init(&library);
}
