/** Places in the file of what was noted that are no writer's. */

/** How many places were given out. */
export const PLACES_GIVEN = 8191;
/** Other than 0: nobody counts any more. */
export const QUIET = 8190;
