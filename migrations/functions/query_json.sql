-- query_json: runs a statement that reads, inside of the statement that calls it, and in its snapshot. It is planned only
-- when it is called.
--   p_statement  returns one row with one json value. It refers to a parameter as ($1)[n], and to the state as $2
create or replace function query_json(p_statement text, p_params text[], p_state jsonb) returns json
language plpgsql stable as $$
declare
  v_answer json;
begin
  execute p_statement into strict v_answer using p_params, p_state;
  return v_answer;
end
$$;
