-- count_disjoint: the greatest number of intervals on a line of which no two overlap.
--   p_begin, p_end  positions, both inside the interval, in the order of p_end: it is optimal to take the interval that
--                   ends first, then the first to end of those that begin after it, and so on
--
--   count_disjoint(begin_place, end_place order by end_place)
create or replace aggregate count_disjoint (int, int) (
  sfunc = count_disjoint_next, stype = int[], initcond = '{0,-1}', finalfunc = count_disjoint_total, parallel = safe
);
