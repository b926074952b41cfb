-- count_disjoint_total: the final function of the aggregate count_disjoint.
create or replace function count_disjoint_total(p_state int[]) returns int language sql immutable parallel safe as $$
  select p_state[1]
$$;
