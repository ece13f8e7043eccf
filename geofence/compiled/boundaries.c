#include "boundaries.h"

/* Where in a cell its reference is, see crossed_cells.py. */
#define EAST 0.5178
#define NORTH 0.4831

/* WGS84; the rim of circles is a million times wider than what the last digits of these do. */
#define EQUATOR 6378137.0
#define ECCENTRICITY_SQUARED 0.0066943799901413165
#define RADIANS (3.14159265358979323846 / 180)

/* The line from the reference to the position lies in the cell, and all edges that touch the cell are listed. Where
   it crosses one of them properly, sides change. A jump for each question would be mistaken half of the time: all are
   asked. */
Side side_of_polygon(const CellIndex *index, const Position *here, const Cell *cell)
{
    int level = cell->look & LEVEL;
    int64_t first = cell->first, end = (cell + 1)->first;
    if (level > LEVELS || first < 0 || end > index->edges)
        return BROKEN;
    if (cell->look & OPEN)
        return IN_DOUBT;
    Place from = {
        ((double)(here->column >> (LEVELS - level)) + EAST) * index->width[level] - 180.0,
        ((double)(here->row >> (LEVELS - level)) + NORTH) * index->height[level] - 90.0,
    };
    int inside = (cell->look & INSIDE) != 0, doubt = 0;
    for (int64_t at = first; at < end; at++) {
        int32_t vertex = index->vertex[at];
        if (vertex < 0 || vertex + (int64_t)1 >= index->vertices)
            return BROKEN;
        Place a = index->place[vertex], b = index->place[vertex + 1];
        int side = turn(a, b, here->at), other_side = turn(a, b, from);
        int of_a = turn(from, here->at, a), of_b = turn(from, here->at, b);
        int apart = side != other_side;
        doubt |= (side == 0) | (other_side == 0) | (apart & ((of_a == 0) | (of_b == 0)));
        inside ^= apart & (of_a != of_b);
    }
    return doubt ? IN_DOUBT : inside ? HELD : OUTSIDE;
}

/* As ellipsoid.earth_centred. */
Centred earth_centred(Place at)
{
    double east = at.x * RADIANS, north = at.y * RADIANS;
    double sine = sin(north);
    double normal = EQUATOR / sqrt(1 - ECCENTRICITY_SQUARED * sine * sine);
    double axis = normal * cos(north);
    return (Centred){axis * cos(east), axis * sin(east), (1 - ECCENTRICITY_SQUARED) * normal * sine, true};
}

/* As Circles.contain. */
Side side_of_circle(const double *circle, const Centred *here)
{
    double x = here->x - circle[0], y = here->y - circle[1], z = here->z - circle[2];
    double chord_squared = x * x + y * y + z * z;
    return chord_squared <= circle[3] ? HELD : chord_squared <= circle[4] ? IN_DOUBT : OUTSIDE;
}
