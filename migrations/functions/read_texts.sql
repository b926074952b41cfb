-- read_texts: read_identities with the hash of the value alone; see `text_hash` of `identities`.
--   p_identities  [{namespace, value_hash, value?, text_hash?}]; value_hash in hex, text_hash a decimal number in quotes.
--                 Release 0.1.0 sends no text_hash
create or replace function read_texts(p_identities jsonb)
returns table (namespace text, value_hash bytea, value text, text_hash bigint)
language sql immutable as $$
  select named.namespace, decode(named.value_hash, 'hex'), named.value, named.text_hash
  from jsonb_to_recordset(p_identities) as named (namespace text, value_hash text, value text, text_hash bigint)
  offset 0
$$;
