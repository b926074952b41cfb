-- begin_report: lets a report of the workspace begin, as the first statement of its transaction.
--   p_question  a hash of the request. TL003 if the same one ran out of time less than a minute ago
--   p_slots     reports of the workspace at a time, in all isolates together. The slot is an advisory lock, which ends
--               with the transaction. Where none is free the report waits up to two seconds, then TL004
create or replace function begin_report(p_workspace_id uuid, p_question bytea, p_slots int) returns void
language plpgsql as $$
declare
  v_lock constant bigint := hashtextextended('report ' || p_workspace_id::text, 0);
  v_first constant int := floor(random() * p_slots);
begin
  if exists (
    select
    from slow_reports s
    where s.workspace_id = (select p_workspace_id) and s.question = p_question and s.until_at > now()
  ) then
    raise exception 'the report was too slow a moment ago' using errcode = 'TL003';
  end if;

  for n in 0 .. p_slots - 1 loop
    if pg_try_advisory_xact_lock(v_lock + (v_first + n) % p_slots) then
      return;
    end if;
  end loop;
  begin
    perform set_config('lock_timeout', '2000', true);
    perform pg_advisory_xact_lock(v_lock + v_first);
    perform set_config('lock_timeout', '0', true);
  exception when lock_not_available then
    raise exception 'too many reports at a time' using errcode = 'TL004';
  end;
end
$$;
