import { ratioOf } from './contenders.ts';
import { number, numberOr, paragraph, table } from './markdown.ts';
import { aboutRun, aboutWorkspaces, storage } from './page-about.ts';
import type { PageResults, RangeName, ReadResult } from './results.ts';

/** The whole page. It depends on the results alone. */
export function pageOf(results: PageResults): string {
  const parts = [
    '# Performance',
    aboutRun(results),
    '## The workspaces',
    aboutWorkspaces(results),
    '## Reports',
    ...statements(results),
    '## Beside the usual SQL',
    ...usual(results),
    ...states(results),
    '## Plans and cold buffers',
    ...plans(results),
    '## Through the Worker',
    ...requests(results),
    '## Row level security',
    ...locks(results),
    '## Writes',
    ...writes(results),
    '## Storage',
    ...storage(results),
  ];
  return `${parts.join('\n\n')}\n`;
}

const medianOf = (runs: number) => (runs === 1 ? 'one run' : `the median of ${runs} runs`);

interface Shown {
  read: string;
  range: RangeName | null;
  /** By size. */
  results: (ReadResult | undefined)[];
}

/** The results that all sections but the one on states show: of the main state, or of the only one. */
function shownReads({ reads, states: [first], main_state }: PageResults): ReadResult[] {
  const ofMain = new Set(reads.filter(({ state }) => state === main_state).map(({ read }) => read));
  return reads.filter(({ read, state }) => state === (ofMain.has(read) ? main_state : first));
}

/** The results of each read, in the order of the first one and of the sizes. */
function byRead(results: PageResults, ranges: readonly (RangeName | null)[]): Shown[] {
  const found = shownReads(results).filter(({ range }) => ranges.includes(range));
  const order = [...new Set(results.reads.map(({ read }) => read))];
  return [...Map.groupBy(found, ({ read, range }) => `${read} ${range}`).values()]
    .map((group) => ({
      read: group[0]?.read ?? '',
      range: group[0]?.range ?? null,
      results: results.workspaces.map(({ size }) => group.find((result) => result.size === size)),
    }))
    .toSorted((a, b) => order.indexOf(a.read) - order.indexOf(b.read));
}

function inOrder(shown: readonly Shown[]): ReadResult[] {
  return shown.flatMap(({ results }) => results.filter((result) => result !== undefined));
}

/** The time, and the number of runs if they are fewer than those of a fast statement. */
function timeCell(result: ReadResult | undefined, runs: number): string {
  if (!result?.statement) return result ? 'cancelled' : '–';
  const { median_ms, runs: counted } = result.statement;
  return counted < runs ? `${number(median_ms)} (${counted})` : number(median_ms);
}

/** How many times as long each size takes as the one before it. */
function growthCells(results: readonly (ReadResult | undefined)[]): string[] {
  return results.slice(1).map((result, i) => {
    const [one, other] = [result?.statement, results[i]?.statement];
    return one && other ? number(ratioOf(one, other)) : '–';
  });
}

const GROWTH = `The last columns are how many times as long a size takes as the one before it: the median over blocks of
  runs, in which all sizes run in turns.`;

function statements(results: PageResults): string[] {
  const { effort, workspaces } = results;
  const runs = effort.blocks * effort.runs;
  const sizes = workspaces.map(({ size }) => size);
  const growth = sizes.slice(1).map((size, i) => `${size}/${sizes[i]}`);
  const head = [...sizes.map((size) => `${size} ms`), ...growth];
  const tableOf = (label: string, range: RangeName | null) =>
    table(
      [label, ...head],
      byRead(results, [range]).map(({ read, results: each }) => [
        read,
        ...each.map((result) => timeCell(result, runs)),
        ...growthCells(each),
      ]),
    );
  return [
    paragraph(`The time of the statements of a report: the Worker is asked once, and the statements of its call to the
      database are repeated over one connection, in a transaction under the same role, settings and row level security.
      The time is that of the report's own statements, from sending them to their last row. It is ${medianOf(runs)}
      with warm buffers. A statement that takes ${number(effort.slow_ms)} ms or more runs fewer times, and the number
      of runs is in brackets. "cancelled": it ran into the time-out of reports, 27.5 s. ${growth.length > 0 ? GROWTH : ''}
      Attribution is grouped by channel, \`campaigns\` by channel and campaign; 1 model is linear, 8 models are those without
      parameters; \`accounts\` are journeys of everyone at an account.`),
    '### A month',
    tableOf('report', 'month'),
    '### A year',
    tableOf('report', 'year'),
    ...(byRead(results, [null]).length > 0 ? ['### Lists and single rows', tableOf('operation', null)] : []),
  ];
}

function usual(results: PageResults): string[] {
  const compared = inOrder(byRead(results, ['month', 'year'])).filter((result) => result.usual !== null);
  const differences = compared.flatMap(({ usual: one }) =>
    one?.difference === null || one?.difference === undefined ? [] : [one.difference],
  );
  const most = differences.length > 0 ? Math.max(...differences).toExponential(0) : '–';
  return [
    paragraph(`The SQL that a user would write for the same question, from \`bench/page/usual-sql.ts\`, over the same tables
      and indexes, by their owner, without row level security and with the default settings of the server. It runs in turns
      with the report; \`times\` is how many times as long it takes, the median over the turns. For attribution it gives one
      model (linear) where the report gives one or eight; the greatest relative difference between its credit and that of
      the report, which is rounded to six digits, was ${most}. For journeys it gives the paths that converted, and the report
      also those that did not. For the funnel it gives counts, which are too high from the third step on because its window
      begins again at each step. For the lifecycle it gives the people at each stage, and the report also their moves and
      the advocates.`),
    table(
      ['report', 'range', 'size', 'report ms', 'usual SQL ms', 'times'],
      compared.map(({ read, range, size, statement, usual: one }) => [
        read,
        range ?? '',
        size,
        statement ? number(statement.median_ms) : 'cancelled',
        numberOr(one?.median_ms),
        numberOr(one?.ratio),
      ]),
      3,
    ),
  ];
}

function states(results: PageResults): string[] {
  const { reads, states: names, main_state, workspaces } = results;
  if (names.length < 2) return [];
  const found = Map.groupBy(reads, ({ read }) => read);
  const inMany = [...found].filter(([, group]) => new Set(group.map(({ state }) => state)).size > 1);
  const sizes = workspaces.map(({ size }) => size);
  const growth = sizes.slice(1).map((size, i) => `${size}/${sizes[i]}`);
  const rowsOf = (group: readonly ReadResult[], range: RangeName) =>
    names.flatMap((name) => {
      const each = sizes.map((size) =>
        group.find((one) => one.size === size && one.state === name && one.range === range),
      );
      return each.some((one) => one) ? [[name, range, ...each.map(stateCell), ...growthCells(each)]] : [];
    });
  return [
    '## By state of the sums',
    paragraph(`Reports that read sums by day, in ms of statement time, with more and fewer days whose sums are settled; the
      tables above and below show the state "${main_state}" where a report was measured in it. In brackets how many times as
      long the usual SQL takes, if it was measured in turns with the report in the same state.`),
    ...inMany.flatMap(([read, group]) => [
      `### ${read}`,
      table(
        ['state', 'range', ...sizes, ...growth],
        [...rowsOf(group, 'month'), ...rowsOf(group, 'year')],
        2,
      ),
    ]),
  ];
}

function stateCell(result: ReadResult | undefined): string {
  if (!result?.statement) return result ? 'cancelled' : '–';
  const time = number(result.statement.median_ms);
  const ratio = result.usual?.ratio ?? null;
  return ratio === null ? time : `${time} (${number(ratio)})`;
}

const BLOCKS_A_MIB = 128;

function plans(results: PageResults): string[] {
  const largest = results.workspaces.length - 1;
  const size = results.workspaces[largest]?.size ?? '';
  const all = byRead(results, ['month', 'year', null]).map((shown) => ({
    ...shown,
    result: shown.results[largest],
  }));
  const whole = all.flatMap(({ read, range, result }) =>
    (result?.plan?.whole ?? []).map(({ table: name, rows }) => [read, range ?? '', name, number(rows)]),
  );
  return [
    paragraph(`The ${size} workspace. \`MiB\`: buffers that the statements touch, in the server's shared buffers or not, each
      as often as it is touched, by \`explain (analyze, buffers)\`; \`spilled\`: MiB written to disk by sorts and hashes.
      \`plan ms\`: what the planner took, which is part of the times. \`cold\`: the time after another table replaced everything
      in the shared buffers (${results.machine.settings.shared_buffers}), ${medianOf(results.effort.cold_runs)}, or one run
      of a statement that takes ${number(results.effort.slow_ms)} ms or more. The cache of the operating system is not emptied,
      so reading a block copies it from memory.`),
    table(
      ['operation', 'range', 'MiB', 'spilled', 'plan ms', 'warm ms', 'cold ms'],
      all.map(({ read, range, result }) => [
        read,
        range ?? '',
        result?.plan ? number((result.plan.hit + result.plan.read) / BLOCKS_A_MIB) : '–',
        result?.plan ? number(result.plan.spilled / BLOCKS_A_MIB) : '–',
        numberOr(result?.plan?.planning_ms),
        numberOr(result?.statement?.median_ms),
        numberOr(result?.cold?.median_ms),
      ]),
      2,
    ),
    paragraph('Tables of which the statements read every row, and how many rows they read:'),
    table(['operation', 'range', 'table', 'rows'], whole, 3),
  ];
}

function requests(results: PageResults): string[] {
  const largest = results.workspaces.length - 1;
  const size = results.workspaces[largest]?.size ?? '';
  return [
    paragraph(`The ${size} workspace, requested from the built Worker in workerd one request after the other. \`calls\`: round
      trips to the database of a request whose key the isolate knows; looking a key up is one more, every 30 seconds.
      \`wall\`: the median from sending the request to the last byte of its response, over the stand-in for Neon on the same
      machine. \`CPU\`: milliseconds that the process of the Worker spends on the CPU, per request: with garbage collection,
      and without the database. \`KiB\`: the size of the response.`),
    table(
      ['operation', 'range', 'calls', 'wall ms', 'statement ms', 'CPU ms', 'KiB'],
      byRead(results, ['month', 'year', null]).map(({ read, range, results: each }) => {
        const result = each[largest];
        const worker = result?.worker;
        return [
          read,
          range ?? '',
          worker ? String(worker.calls) : '–',
          numberOr(worker?.median_ms),
          result?.statement ? number(result.statement.median_ms) : 'cancelled',
          numberOr(worker?.cpu_ms),
          worker ? number(worker.response_bytes / 1024) : '–',
        ];
      }),
      2,
    ),
  ];
}

function locks(results: PageResults): string[] {
  const measured = inOrder(byRead(results, ['month', null])).filter((result) => result.locked_ratio !== null);
  return [
    paragraph(`The ${results.workspaces[0]?.size ?? ''} workspace: how many times as long the statements take under the application's
      role, which sees the rows of its workspace only, as under the owner of the tables, who bypasses the policies. The median
      over turns. A condition that does not reach an index under row level security shows as a number far above 1.`),
    table(
      ['operation', 'range', 'times'],
      measured.map(({ read, range, locked_ratio }) => [read, range ?? '', numberOr(locked_ratio)]),
      2,
    ),
  ];
}

function writes({ writes: measured, effort }: PageResults): string[] {
  return [
    paragraph(`Requests of 1,000 touchpoints and of one: of known people, a quarter of them in new threads, sent to the loaded workspace one request after the
      other, in turns with the same SQL for other people of the same kind, sent through \`pg\` by the owner of the tables. Each
      is the median of ${effort.batches} batches or ${effort.events} single events. \`times\` is Worker / \`pg\`, the median over
      the turns.`),
    table(
      ['write', 'size', 'Worker ms', 'pg ms', 'times', 'calls', 'CPU ms'],
      measured.map(({ write, size, worker_ms, direct_ms, ratio, calls, cpu_ms }) => [
        write,
        size,
        number(worker_ms),
        number(direct_ms),
        number(ratio),
        String(calls),
        numberOr(cpu_ms),
      ]),
      2,
    ),
  ];
}
