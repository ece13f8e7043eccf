#ifndef OVERFLY_LOOK_UP_H
#define OVERFLY_LOOK_UP_H

#include "boundaries.h"

PyObject *look_up(PyObject *module, PyObject *const *objects, Py_ssize_t given);

extern const char look_up_says[];

enum { POSITIONS, KEYS, OPEN_PAIRS, OPEN_AREAS, GIVEN };
enum { TOGETHER = 32 };

/* An area whose boundary crosses the leaf of a position; of a polygon its crossed cell, of a circle -1. */
typedef struct {
    int32_t position, area, cell;
    Side side;
} Test;

/* Some positions that are looked up together, and what was found so far. */
typedef struct {
    int many;
    Position here[TOGETHER];
    int64_t leaf[TOGETHER], first_test[TOGETHER + 1];
    Growing tests;
    Growing items; /* areas of one position: key << 32, + 1 + area where it is not decided */
    Growing given[GIVEN];
    const char *wrong; /* what is not as it must be; NULL for want of memory */
    int64_t where;     /* the position that is wrong, or -1 */
} LookUp;

/* Says what is wrong; false. */
static inline bool fails(LookUp *look, const char *wrong)
{
    look->wrong = wrong;
    return false;
}

/* The cells of positions from `start` on, and the leaves of these; false if something is wrong. */
bool find_cells(const CellIndex *index, int64_t start, LookUp *look);
bool find_leaves(const CellIndex *index, LookUp *look);

#endif
