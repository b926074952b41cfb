-- count_disjoint: how many stretches of a line can be chosen that do not overlap, at the most.
--   p_begin, p_end  places, both inside the stretch; in the order of p_end: the one that ends first is taken, then the
--                   first to end of those that begin after it, and so on, which no other choice beats
-- State: the number taken, and where the last one ends.
create function count_disjoint_next(p_state int[], p_begin int, p_end int) returns int[]
language sql immutable parallel safe as $$
  select case when p_begin > p_state[2] then array[p_state[1] + 1, p_end] else p_state end
$$;
--> statement-breakpoint
create function count_disjoint_total(p_state int[]) returns int language sql immutable parallel safe as $$
  select p_state[1]
$$;
--> statement-breakpoint
create aggregate count_disjoint (int, int) (
  sfunc = count_disjoint_next, stype = int[], initcond = '{0,-1}', finalfunc = count_disjoint_total, parallel = safe
);
