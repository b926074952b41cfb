import { expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem } from './items.ts';

/** Business hours as a setting of the workspace. */

needWorld();

const HOURS = { from: '09:00', to: '17:30' };
const patch = (workspace: TestWorkspace, business_hours: Json) =>
  workspace.ask('PATCH', '/v1/workspace', { body: { business_hours } });

test('are kept as sent, holidays filled in, and taken back by null; other settings leave them alone', async () => {
  const workspace = await TestWorkspace.make();
  expect((await workspace.get('/v1/workspace')).body.business_hours).toBeNull();
  const sent = { timezone: 'Asia/Tokyo', days: { monday: HOURS, sunday: { from: '00:00', to: '24:00' } } };
  const kept = { ...sent, holidays: [] };
  expect((await patch(workspace, sent)).body.business_hours).toEqual(kept);
  await workspace.ask('PATCH', '/v1/workspace', { body: { name: 'N' } });
  expect((await workspace.get('/v1/workspace')).body.business_hours).toEqual(kept);
  expect((await patch(workspace, null)).body.business_hours).toBeNull();
  const made = await TestWorkspace.make({ business_hours: sent });
  expect((await made.get('/v1/workspace')).body.business_hours).toEqual(kept);
});

test.for<[string, Json, string, string]>([
  ['no day', { days: {} }, '/business_hours/days', 'monday'],
  ['an unknown day', { days: { mon: HOURS } }, '/business_hours/days/mon', 'Unknown'],
  ['no days at all', {}, '/business_hours/days', 'object'],
  [
    'an end before the beginning',
    { days: { monday: { from: '17:00', to: '09:00' } } },
    '/business_hours/days/monday/to',
    'later',
  ],
  [
    'no time between',
    { days: { monday: { from: '09:00', to: '09:00' } } },
    '/business_hours/days/monday/to',
    'later',
  ],
  [
    '24:00 as a beginning',
    { days: { monday: { from: '24:00', to: '24:00' } } },
    '/business_hours/days/monday/from',
    '09:00',
  ],
  [
    'an hour that is none',
    { days: { monday: { from: '9', to: '25:00' } } },
    '/business_hours/days/monday/from',
    '09:00',
  ],
  [
    'a zone that is none',
    { timezone: 'CET+1', days: { monday: HOURS } },
    '/business_hours/timezone',
    'Europe/Berlin',
  ],
  [
    'a day that is none',
    { days: { monday: HOURS }, holidays: ['2026-02-30'] },
    '/business_hours/holidays/0',
    '2026-12-25',
  ],
  [
    'a year that is none',
    { days: { monday: HOURS }, holidays: ['0000-01-01'] },
    '/business_hours/holidays/0',
    '1969',
  ],
  [
    'too many holidays',
    { days: { monday: HOURS }, holidays: Array(1001).fill('2026-12-25') },
    '/business_hours/holidays',
    '1000',
  ],
  ['an unknown field', { days: { monday: HOURS }, weekend: true }, '/business_hours/weekend', 'Unknown'],
])('of %s are refused, and the answer says what is right', async ([, business_hours, pointer, known]) => {
  const answer = await patch(await TestWorkspace.make(), business_hours);
  expectProblem(answer, 422, 'invalid_request');
  const error = answer.body.errors.find((one: Json) => one.pointer === pointer);
  expect(error?.detail, answer.text).toContain(known);
});
