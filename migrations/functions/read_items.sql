-- read_items: one row for each item of a batch, in plain columns. Absent members are null.
--   p_items  [{id, occurred_at, person_id, identities: [{namespace, value_hash, value?}], goal?, link_id?,
--            account?: {id?, domain?, name?}, email_domain?, referrer?: {namespace, value_hash}}]; hashes in hex
--   value    the whole item; `namespace` and `value_hash` are those of its first identity
--
-- Under row level security a condition reaches an index only if every part of it is leakproof. Comparisons of plain
-- columns are; a function over a column of another step (`decode(item ->> 'hash', 'hex')`) is not, and then each look-up
-- reads the whole workspace. `offset 0` keeps the planner from pulling the expressions out of this subquery.
create or replace function read_items(p_items jsonb)
returns table (
  value jsonb, id text, goal text, occurred_at timestamptz, link_id bytea, identities jsonb, namespace text,
  value_hash bytea, has_account boolean, account_id text, account_domain text, account_name text, email_domain text,
  referrer_namespace text, referrer_hash bytea
)
language sql immutable as $$
  select item, item ->> 'id', item ->> 'goal', (item ->> 'occurred_at')::timestamptz, decode(item ->> 'link_id', 'hex'),
    item -> 'identities', item #>> '{identities,0,namespace}', decode(item #>> '{identities,0,value_hash}', 'hex'),
    item ? 'account', item #>> '{account,id}', item #>> '{account,domain}', item #>> '{account,name}',
    item ->> 'email_domain', item #>> '{referrer,namespace}', decode(item #>> '{referrer,value_hash}', 'hex')
  from jsonb_array_elements(p_items) item
  offset 0
$$;
