/** Generated data; the same seed gives the same rows. */

/** mulberry32: 32 bits of state, good enough for generated people. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const KINDS = ['mention', 'reply', 'click', 'visit', 'demo', 'email_open'];
const CHANNELS = ['x', 'linkedin', 'reddit', 'email', 'organic_search', 'direct'];
const FROM = Date.UTC(2026, 0, 1);

/** Touchpoints over 90 days, about 15 per person; every tenth names a second identity. */
export function touchpoints(count: number, seed: number): Record<string, unknown>[] {
  const random = randomOf(seed);
  const pick = (values: readonly string[]) => values[Math.floor(random() * values.length)];
  return Array.from({ length: count }, (_, i) => {
    const person = Math.floor(random() * Math.max(1, count / 15));
    return {
      id: `s${seed}-${i}`,
      occurred_at: new Date(FROM + Math.floor(random() * 90 * 86_400_000)).toISOString(),
      kind: pick(KINDS),
      direction: random() < 0.3 ? 'outbound' : 'inbound',
      channel: pick(CHANNELS),
      campaign: pick(['spring', 'summer', 'launch']),
      conversation: { id: `thread-${Math.floor(random() * (count / 4))}`, topic: 'pricing' },
      person: {
        user_id: `s${seed}-p${person}`,
        ...(i % 10 === 0 && { email: `s${seed}-p${person}@example.com` }),
      },
    };
  });
}

/** One conversion for every third person of the touchpoints of the same seed. */
export function conversions(touchpointCount: number, seed: number): Record<string, unknown>[] {
  const random = randomOf(seed + 1);
  const people = Math.max(1, Math.floor(touchpointCount / 15));
  return Array.from({ length: Math.ceil(people / 3) }, (_, i) => ({
    id: `s${seed}-c${i}`,
    goal: 'purchase',
    occurred_at: new Date(FROM + Math.floor(random() * 90 * 86_400_000)).toISOString(),
    value: Math.round(random() * 30_000) / 100,
    currency: 'USD',
    person: { user_id: `s${seed}-p${i * 3}` },
  }));
}
