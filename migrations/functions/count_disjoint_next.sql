-- count_disjoint_next: the transition function of the aggregate count_disjoint. It takes an interval that begins after
-- the end of the last one taken.
--   p_state  the number of intervals taken, and the end of the last one
create or replace function count_disjoint_next(p_state int[], p_begin int, p_end int) returns int[]
language sql immutable parallel safe as $$
  select case when p_begin > p_state[2] then array[p_state[1] + 1, p_end] else p_state end
$$;
