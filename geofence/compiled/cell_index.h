/* The cell index as columns, laid out for the look-up: what has to do with one another is side by side in memory. */

#ifndef OVERFLY_CELL_INDEX_H
#define OVERFLY_CELL_INDEX_H

#include "door.h"
#include "turns.h"

enum { LEVELS = 20, CODE_BITS = 2 * LEVELS, CIRCLE_COLUMNS = 5 };
enum { LEVEL = 31, OPEN = 64, INSIDE = 128 };

/* A range of codes, up to where the next one starts: where the areas begin in which all of it lies, and where those
   whose boundary crosses it. One more is behind the last. */
typedef struct {
    int64_t start;
    int32_t whole, crossed;
} Leaf;

/* A crossed cell of a polygon: area << CODE_BITS | first code, ascending; where its edges begin in `vertex`; its
   level, with INSIDE if its reference is, OPEN if its edges do not decide. One more is behind the last. */
typedef struct {
    int64_t cell;
    int32_t first, look;
} Cell;

/* Numbers of how many there are, and columns; EXPECTED says what is in them. */
typedef struct {
    int64_t positions, parts, smaller_parts, leaves, listed, areas, polygons, cells, edges, vertices;
    const double *longitude, *latitude, *circle;
    const Place *place;
    const Leaf *leaf;
    const Cell *cell;
    const int32_t *part, *leaf_of, *area, *key, *vertex;
    const uint8_t *discarded;
    double width[LEVELS + 1], height[LEVELS + 1]; /* degrees, of the cells of each level */
} CellIndex;

enum { LONGITUDE, LATITUDE, PART, LEAF_OF, LEAF, AREA, KEY, DISCARDED, CIRCLE, CELL, VERTEX, PLACE, INDEX_COLUMNS };

/* Columns in this order, and what they are together; or false and an exception. They are to be closed. */
bool open_index(PyObject *const *objects, Py_ssize_t given, Column *columns, CellIndex *index);

/* The bits of a number of parts, a power of two; -1 if it is none. */
int bits_of(int64_t parts);

typedef struct {
    Place at;
    int64_t code;
    int32_t column, row;
} Position;

#endif
