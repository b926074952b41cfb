-- uuid_v7: a new id that sorts by creation time, like the ids that the Worker creates (RFC 9562, version 7).
--   uuid_v7() → 0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3
create or replace function uuid_v7() returns uuid language sql volatile as $$
  select encode(
    set_bit(set_bit(overlay(
      uuid_send(gen_random_uuid())
      placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6
    ), 52, 1), 53, 1),
    'hex'
  )::uuid
$$;
