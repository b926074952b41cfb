import { PAGE_BYTES } from '../db/page-sql.ts';
import { MAX_IDENTITIES } from '../domain/identities.ts';
import { MAX_DEPTH } from '../domain/json.ts';
import { MAX_PATH_END } from '../domain/paths.ts';
import { MAX_STRINGS } from '../domain/text-forms.ts';
import { MAX_RANGE_DAYS } from '../domain/time.ts';
import { MAX_BODY_BYTES, MAX_NDJSON_LINES } from '../http/body.ts';
import { MAX_ID_LENGTH, MAX_PROPERTIES_BYTES } from '../http/fields.ts';
import { RATE_LIMIT } from '../http/rate-limit.ts';
import { MAX_KEPT_BYTES } from '../ingest/keep-rejections.ts';
import { MAX_ITEMS } from '../ingest/read-items.ts';
import { MAX_REJECTIONS_PER_DAY } from '../ingest/rejection-insert-sql.ts';
import { MAX_GOALS, MAX_GROUP_BY } from '../stats/journey-fields.ts';
import { MAX_KEPT_QUESTIONS } from '../stats/kept/note-question-sql.ts';
import { MAX_CELLS } from '../stats/kept/settle-credit-sql.ts';
import { MAX_WHERE_VALUES } from '../stats/where-fields.ts';

const number = (value: number) => value.toLocaleString('en-US');

/** The limits of all routes, for the document. Limits of a single route are part of its description. */
export const LIMITS_TEXT = `## Limits

A request beyond a limit is rejected as a whole, and the response names the limit. Nothing is cut silently.

- Requests: ${number(RATE_LIMIT.requests)} in ${RATE_LIMIT.period_seconds} s per key, including the read tokens made with it; beyond that, 429 \`rate_limited\` with \`Retry-After\`.
- Body: ${MAX_BODY_BYTES / 1024 ** 2} MiB, before and after inflation; 413 \`body_too_large\`.
- Depth: objects and arrays nested ${MAX_DEPTH} deep; 400 \`too_deep\`.
- Items: ${number(MAX_ITEMS)} in a batch of JSON, ${number(MAX_NDJSON_LINES)} lines of NDJSON. Per item: an id of ${MAX_ID_LENGTH} characters, ${MAX_IDENTITIES} identities, ${MAX_PROPERTIES_BYTES / 1024} KiB of properties.
- Rejections: an item is kept up to ${MAX_KEPT_BYTES / 1024} KiB and ${number(MAX_STRINGS)} strings, and beyond that as a digest; ${number(MAX_REJECTIONS_PER_DAY)} per key and UTC day, and results beyond that say \`kept: false\`. Requests at the same time may pass this number by what they bring.
- Range of a report: ${number(MAX_RANGE_DAYS)} days.
- Query: ${MAX_GOALS} goals, ${MAX_GROUP_BY} dimensions of \`group_by\`, each model once, ${MAX_WHERE_VALUES} values per field of \`where\`; 422 \`invalid_request\` names the parameter.
- Rows: \`limit\` is at most 1,000 in a list and at most 10,000 in a report, whose other groups are one row with \`other: true\`, so that totals hold. A page of a list ends earlier, with \`has_more: true\`, where its rows would exceed ${PAGE_BYTES / 1024 ** 2} MiB.
- Sums of attribution reports are kept for ${MAX_KEPT_QUESTIONS} questions with a filter and ${MAX_KEPT_QUESTIONS} without one in a workspace, up to ${number(MAX_CELLS)} rows each. Other questions are computed from rows: the same numbers, more slowly. \`Server-Timing\` tells how many days were \`kept\` and \`open\`, and how many conversions were computed (\`raw\`).
- Paths: the first and the last ${MAX_PATH_END} steps of a longer path; the row says \`cut\`, and a warning \`paths_cut\` counts the journeys.
- Time: 28 s for a report, 15 s for any other database call; 503 \`report_too_slow\` or \`database_unavailable\`. A person with tens of thousands of touchpoints and more than 32 conversions in the range can make credit too slow if it is grouped by a dimension that differs in each touchpoint and split by \`interval\`; leave one of the two out.`;
