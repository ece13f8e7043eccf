/* The exact test of a position in an area whose boundary is near. */

#ifndef OVERFLY_BOUNDARIES_H
#define OVERFLY_BOUNDARIES_H

#include "cell_index.h"

/* OUTSIDE and HELD are certain; IN_DOUBT is for GEOS or the geodesic to say; BROKEN: the cell leads out of columns. */
typedef enum { OUTSIDE, HELD, IN_DOUBT, BROKEN } Side;

Side side_of_polygon(const CellIndex *index, const Position *here, const Cell *cell);

/* Metres from the Earth's centre. */
typedef struct {
    double x, y, z;
    bool known;
} Centred;

Centred earth_centred(Place at);

Side side_of_circle(const double *circle, const Centred *here);

#endif
