/* On which side of a line a position is, with a proof or not at all.

   The sign of the determinant is right where it is farther from zero than its rounding errors can reach: with
   e = 2**-53, (3 + 16 e) e (|left| + |right|) bounds them (J. R. Shewchuk, Adaptive Precision Floating-Point
   Arithmetic and Fast Robust Geometric Predicates, 1997, figure 21), but for what is lost below the least normal
   number, which LOST makes up for a million times. */

#ifndef OVERFLY_TURNS_H
#define OVERFLY_TURNS_H

#include <math.h>

#define BOUND (3.3306690738754716e-16) /* (3 + 16 e) e, rounded up */
#define LOST (1e-300)

typedef struct {
    double x, y;
} Place;

/* Positive if a, b, c turn left, negative if they turn right; 0 where rounding leaves it open, or they do not turn. */
static inline int turn(Place a, Place b, Place c)
{
    double left = (a.x - c.x) * (b.y - c.y), right = (a.y - c.y) * (b.x - c.x);
    double doubt = BOUND * (fabs(left) + fabs(right)) + LOST;
    double twice = left - right;
    return (twice > doubt) - (twice < -doubt);
}

#endif
