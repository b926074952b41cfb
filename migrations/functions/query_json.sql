-- query_json: runs a statement that reads, inside of the statement that calls it, and in its snapshot. It is planned only
-- when it is called. Its values are literals, which Postgres quotes: it reads a literal once, and a parameter that is cast
-- once a row.
--   p_statement  returns one row with one json value. It is a pattern of format(), with values as %n$L and the state as $1
create or replace function query_json(p_statement text, p_values text[], p_state jsonb) returns json
language plpgsql stable as $$
declare
  v_answer json;
begin
  execute format(p_statement, variadic p_values) into strict v_answer using p_state;
  return v_answer;
end
$$;
