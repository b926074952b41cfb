import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountAt } from '../../src/domain/accounts.ts';
import { type LinkFact, peopleOf } from '../../src/domain/people.ts';

let order = 0;
const fact = (...identities: string[]): LinkFact => ({
  from_secret_key: true,
  occurred_at: order++,
  item_id: `i${order}`,
  identities,
});

test('a–b, b–c: one person of three; d–e another', () => {
  expect(peopleOf([fact('x:a', 'x:b'), fact('x:d', 'x:e'), fact('x:b', 'x:c')]).people).toEqual([
    ['x:a', 'x:b', 'x:c'],
    ['x:d', 'x:e'],
  ]);
});

test('u1–a, u2–a: the second is skipped, u2 stays alone', () => {
  const facts = [fact('user_id:u1', 'x:a'), fact('user_id:u2', 'x:a')];
  expect(peopleOf(facts)).toEqual({ people: [['user_id:u1', 'x:a'], ['user_id:u2']], skipped: [facts[1]] });
});

test('the earlier fact decides, not the one that is listed first', () => {
  const [first, second] = [fact('user_id:u1', 'x:a'), fact('user_id:u2', 'x:a')];
  expect(peopleOf([second, first])).toEqual(peopleOf([first, second]));
});

test('a fact from a secret key comes before an earlier one from a publishable key', () => {
  const publishable = { ...fact('user_id:u1', 'x:a'), from_secret_key: false };
  expect(peopleOf([publishable, fact('user_id:u2', 'x:a')]).people).toEqual([
    ['user_id:u1'],
    ['user_id:u2', 'x:a'],
  ]);
});

test('the identity that would be the 101st stays out', () => {
  const chain = Array.from({ length: 100 }, (_, i) => fact(`x:${i}`, `x:${i + 1}`));
  const { people, skipped } = peopleOf(chain);
  expect(people.map((identities) => identities.length).sort()).toEqual([1, 100]);
  expect(skipped).toEqual([chain[99]]);
});

test('any order of the same facts gives the same people', () => {
  const identity = fc.constantFrom('user_id:1', 'user_id:2', 'user_id:3', 'x:a', 'x:b', 'x:c', 'x:d');
  const link = fc.tuple(
    fc.uniqueArray(identity, { minLength: 2, maxLength: 3 }),
    fc.integer({ min: 0, max: 5 }),
  );
  fc.assert(
    fc.property(fc.array(link, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (links, keys) => {
      const facts = links.map(([identities, occurred_at], i) => ({
        from_secret_key: true,
        occurred_at,
        item_id: `i${i}`,
        identities,
      }));
      const shuffled = facts
        .map((one) => ({ one, key: keys.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one);
      expect(peopleOf(shuffled)).toEqual(peopleOf(facts));
    }),
  );
});

test('ids at one instant compare bytewise, also beyond the basic plane, where UTF-16 has another order', () => {
  const at = (item_id: string, user: string): LinkFact => ({
    from_secret_key: true,
    occurred_at: 0,
    item_id,
    identities: [`user_id:${user}`, 'x:a'],
  });
  const [later, earlier] = [at('\u{1F600}', 'u1'), at('\uFF5A', 'u2')];
  expect(peopleOf([later, earlier]).skipped).toEqual([later]);
  const fact = (account_id: string) => ({ source: 'item' as const, occurred_at: 0, account_id });
  expect(accountAt([fact('\u{1F600}'), fact('\uFF5A')], 0)).toBe('\u{1F600}');
});
