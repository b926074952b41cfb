-- refuse_unsafe_role: raises TL002 if the role in force would see more than its workspace: a superuser, a role that
-- bypasses row level security, or the owner of a table. Called after the first statement of a transaction, which
-- replaces the login role.
create or replace function refuse_unsafe_role() returns void language plpgsql stable as $$
begin
  if exists (
    select from pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolbypassrls)
  ) or exists (
    select from pg_class c
    join pg_roles r on r.oid = c.relowner
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and r.rolname = current_user
  ) then
    raise exception 'the role in force is not safe' using errcode = 'TL002';
  end if;
end
$$;
