-- begin_settling_credit: the first statement of a step that settles sums of credit (ADR 31). It says whether sums may be
-- computed in this transaction, as its result and as the setting throughline.settling_credit:
--   none     the workspace keeps no sums
--   busy     another step is running
--   foreign  the database is a copy of another one, whose snapshots mean nothing here; end_settling_credit begins anew
--   new      there is no horizon yet; end_settling_credit stores one
--   waiting  a transaction that ran when the horizon was stored has not ended
--   ready    all have ended: what the horizon sees, and what they did, is visible
-- A transaction that ran then has an earlier id than the step that stored the horizon, because steps follow each other. Its
-- id may be above the xmax of the next horizon, which is only the latest id that had ended, so that does not tell.
-- Locks: an advisory lock, to the end of the transaction, so that one step of a workspace runs at a time.
create or replace function begin_settling_credit(p_workspace_id uuid) returns text
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_row record;
  v_status text;
begin
  if pg_try_advisory_xact_lock(hashtextextended('settle_credit ' || p_workspace_id::text, 0)) then
    select h.horizon, h.written_by, h.written_by::xid = h.xmin as is_own into v_row
    from credit_horizons h
    where h.workspace_id = (select p_workspace_id);
    v_status := case
      when not found then 'none'
      when not v_row.is_own then 'foreign'
      when v_row.horizon is null then 'new'
      when pg_snapshot_xmin(pg_current_snapshot()) < v_row.written_by then 'waiting'
      else 'ready'
    end;
  else
    v_status := 'busy';
  end if;
  perform set_config('throughline.settling_credit', v_status, true);
  return v_status;
end
$$;
