-- read_identities: one row for each identity of a list, in plain columns; see read_items for the reason.
--   p_identities  [{namespace, value_hash, value?}]; the hash in hex, the value only if the workspace stores it
create or replace function read_identities(p_identities jsonb)
returns table (namespace text, value_hash bytea, value text)
language sql immutable as $$
  select named.namespace, decode(named.value_hash, 'hex'), named.value
  from jsonb_to_recordset(p_identities) as named (namespace text, value_hash text, value text)
  offset 0
$$;
