import type pg from 'pg';
import type { KeyMaterial } from '../../src/http/key-material.ts';
import { peopleOf, type WorkspaceSize } from './size.ts';
import type { Load } from './touchpoint-rows.ts';

/** Bytes of the key that identities are hashed with: the first half of the key material. */
const HASH_KEY_BYTES = 32;

/** People of one account. */
const MEMBERS = 10;

/** The `user_id` of a person, by the person's number. */
export const userOf = (person: number) => `u${person}`;

/**
 * Functions from the number of a person. Ids are version 7, as in production, because the length of their common prefix
 * decides how fast they sort. Their times are scattered, so that people who have much lie anywhere in an index.
 *
 * A third of the people belong to accounts of ten. Buyers and others have different accounts.
 */
export async function makePeopleFunctions(client: pg.Client, size: WorkspaceSize): Promise<void> {
  const { people, buyers } = peopleOf(size);
  const accounts = (members: number) => Math.max(1, Math.floor(members / 3 / MEMBERS));
  const ofBuyers = accounts(buyers);
  const ofOthers = accounts(people - buyers);
  await client.query(
    `create function bench.person_id(p int) returns uuid language sql immutable as $$
       select (lpad(to_hex(1740000000000 + p::bigint * 2654435761 % 4294967296), 12, '0') || '7' || left(md5(p::text), 3) || '8'
         || right(md5(p::text), 15))::uuid
     $$`,
  );
  await client.query(
    `create function bench.account_id(p int) returns text language sql immutable as $$
       select case
         when p % 3 > 0 then null
         when p < ${buyers} then 'a-' || p / 3 % ${ofBuyers}
         else 'a-' || ${ofBuyers} + p / 3 % ${ofOthers}
       end
     $$`,
  );
}

/** Each person has one identity, hashed as the Worker hashes it, so that items which name it find the person. */
export async function insertPeople(
  { client, workspace_id, size, ends_at, progress }: Load,
  material: KeyMaterial,
): Promise<void> {
  const { people } = peopleOf(size);
  const key = Buffer.from(material.bytes.slice(0, HASH_KEY_BYTES));
  const since = new Date(ends_at.getTime() - 500 * 86_400_000);
  progress('people');
  await client.query(
    'insert into people (workspace_id, id, created_at) select $1::uuid, bench.person_id(n), $3 from generate_series(0, $2::int - 1) n',
    [workspace_id, people, since],
  );
  progress('identities');
  await client.query(
    `insert into identities (workspace_id, namespace, value_hash, hash_version, id, person_id, created_at, text_hash)
     overriding system value
     select $1::uuid, 'user_id', bench.hmac('identity'::bytea || '\\x00' || 'user_id' || '\\x00' || convert_to('u' || n, 'utf8'), $3::bytea, 'sha256'),
       $4, n + 1, bench.person_id(n), $5,
       ('x' || left(encode(bench.hmac('text'::bytea || '\\x00' || convert_to('u' || n, 'utf8'), $3::bytea, 'sha256'), 'hex'), 16))::bit(64)::bigint
     from generate_series(0, $2::int - 1) n`,
    [workspace_id, people, key, material.hash_version, since],
  );
  await client.query(`select setval(pg_get_serial_sequence('identities', 'id'), $1)`, [people]);
  progress('accounts');
  await client.query(
    `insert into accounts (workspace_id, id, is_domain, created_at)
     select distinct $1::uuid, bench.account_id(n), false, $3::timestamptz
     from generate_series(0, $2::int - 1, 3) n`,
    [workspace_id, people, since],
  );
  await client.query(
    `insert into account_facts (workspace_id, source, source_id, identity_id, person_id, account_id, occurred_at, received_at)
     select $1::uuid, 'people', 'f-' || n, n + 1, bench.person_id(n), bench.account_id(n), $3, $3
     from generate_series(0, $2::int - 1, 3) n`,
    [workspace_id, people, since],
  );
}
