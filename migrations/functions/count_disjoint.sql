-- count_disjoint: the greatest number of stretches of a line of which no two overlap.
--   p_begin, p_end  places, both inside the stretch. Feed them in the order of p_end: taking the stretch that ends
--                   first, then the first to end of those that begin after it, and so on, is optimal
--
--   count_disjoint(begin_place, end_place order by end_place)
create or replace aggregate count_disjoint (int, int) (
  sfunc = count_disjoint_next, stype = int[], initcond = '{0,-1}', finalfunc = count_disjoint_total, parallel = safe
);
