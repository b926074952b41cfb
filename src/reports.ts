import { advocacyReport } from './advocacy/get-advocacy.ts';
import { attributionReport } from './attribution/get-attribution.ts';
import { explanationReport } from './attribution/get-explanation.ts';
import { conversationsReport } from './conversations/get-conversation-report.ts';
import { cultivationReport } from './cultivation/get-cultivation.ts';
import type { ReportName } from './domain/settings.ts';
import { funnelReport } from './funnels/get-funnel-report.ts';
import { journeysReport } from './journeys/get-journeys.ts';
import { lifecycleReport } from './lifecycle/get-lifecycle.ts';
import { overviewReport } from './overview/get-overview.ts';
import { roiReport } from './roi/get-roi.ts';
import { type AnyReport, erased } from './stats/report.ts';

/** Every report, by the name that read tokens use. */
export const reports: Readonly<Record<ReportName, AnyReport>> = {
  attribution: erased(attributionReport),
  explanation: erased(explanationReport),
  journeys: erased(journeysReport),
  funnel: erased(funnelReport),
  lifecycle: erased(lifecycleReport),
  conversations: erased(conversationsReport),
  cultivation: erased(cultivationReport),
  advocacy: erased(advocacyReport),
  roi: erased(roiReport),
  overview: erased(overviewReport),
};
