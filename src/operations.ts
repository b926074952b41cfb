import { getAccount } from './accounts/get-account.ts';
import { getAccountTimeline } from './accounts/get-account-timeline.ts';
import { listAccounts } from './accounts/list-accounts.ts';
import { putAccount } from './accounts/put-account.ts';
import { getAdvocacy } from './advocacy/get-advocacy.ts';
import { getAttribution } from './attribution/get-attribution.ts';
import { getExplanation } from './attribution/get-explanation.ts';
import { listAudit } from './audit/list-audit.ts';
import { getConversation } from './conversations/get-conversation.ts';
import { getConversationReport } from './conversations/get-conversation-report.ts';
import { listConversations } from './conversations/list-conversations.ts';
import { getConversion } from './conversions/get-conversion.ts';
import { listAdjustments } from './conversions/list-adjustments.ts';
import { listConversions } from './conversions/list-conversions.ts';
import { adjustmentIngest, recordAdjustment } from './conversions/record-adjustment.ts';
import { conversionIngest, recordConversions } from './conversions/record-conversions.ts';
import { getCultivation } from './cultivation/get-cultivation.ts';
import { deleteFunnel } from './funnels/delete-funnel.ts';
import { getFunnel } from './funnels/get-funnel.ts';
import { getFunnelReport } from './funnels/get-funnel-report.ts';
import { getSavedFunnelReport } from './funnels/get-saved-funnel-report.ts';
import { listFunnelPeople } from './funnels/list-funnel-people.ts';
import { listFunnels } from './funnels/list-funnels.ts';
import { putFunnel } from './funnels/put-funnel.ts';
import { listFxRates } from './fx-rates/list-fx-rates.ts';
import { putFxRates } from './fx-rates/put-fx-rates.ts';
import { archiveGoal } from './goals/archive-goal.ts';
import { getGoal } from './goals/get-goal.ts';
import { listGoals } from './goals/list-goals.ts';
import { putGoal } from './goals/put-goal.ts';
import { getHealth } from './health/get-health.ts';
import { getReady } from './health/get-ready.ts';
import type { AnyOperation } from './http/operation.ts';
import { recordBatch } from './ingest/record-batch.ts';
import { getJourneys } from './journeys/get-journeys.ts';
import { getLifecycle } from './lifecycle/get-lifecycle.ts';
import { getOverview } from './overview/get-overview.ts';
import { erasePerson } from './people/erase-person.ts';
import { exportPerson } from './people/export-person.ts';
import { getPerson } from './people/get-person.ts';
import { getTimeline } from './people/get-timeline.ts';
import { lookupPerson, lookupPersonByQuery } from './people/lookup-person.ts';
import { personIngest, recordPeople } from './people/record-people.ts';
import { unlinkPerson } from './people/unlink-person.ts';
import { listRejections } from './rejections/list-rejections.ts';
import { type Recorders, replayRejection } from './rejections/replay-rejection.ts';
import { getRoi } from './roi/get-roi.ts';
import { getSpend } from './spend/get-spend.ts';
import { listSpend } from './spend/list-spend.ts';
import { recordSpend, spendIngest } from './spend/record-spend.ts';
import { createToken } from './tokens/create-token.ts';
import { getTouchpoint } from './touchpoints/get-touchpoint.ts';
import { listTouchpoints } from './touchpoints/list-touchpoints.ts';
import { recordTouchpoints, touchpointIngest } from './touchpoints/record-touchpoints.ts';
import { voidTouchpoint } from './touchpoints/void-touchpoint.ts';
import { createKey, createKeyOfWorkspace } from './workspaces/create-key.ts';
import { createWorkspace } from './workspaces/create-workspace.ts';
import { deleteKey } from './workspaces/delete-key.ts';
import { deleteWorkspace } from './workspaces/delete-workspace.ts';
import { getWorkspace } from './workspaces/get-workspace.ts';
import { listKeys } from './workspaces/list-keys.ts';
import { listWorkspaces } from './workspaces/list-workspaces.ts';
import { rotateKey } from './workspaces/rotate-key.ts';
import { updateWorkspace } from './workspaces/update-workspace.ts';

const STORED = { dryRun: false } as const;

/** How items of each resource are stored if they do not come in a request of their own. */
export const recorders: Recorders = {
  touchpoints: (items, context) => recordBatch(touchpointIngest, items, STORED, context),
  conversions: (items, context) => recordBatch(conversionIngest, items, STORED, context),
  people: (items, context) => recordBatch(personIngest, items, STORED, context),
  adjustments: (items, context) => recordBatch(adjustmentIngest, items, STORED, context),
  spend: (items, context) => recordBatch(spendIngest, items, STORED, context),
};

/** Every operation, in the order of the document. */
export const operations: readonly AnyOperation[] = [
  recordTouchpoints,
  listTouchpoints,
  getTouchpoint,
  voidTouchpoint,
  recordConversions,
  listConversions,
  getConversion,
  recordAdjustment,
  listAdjustments,
  recordSpend,
  listSpend,
  getSpend,
  putFxRates,
  listFxRates,
  recordPeople,
  unlinkPerson,
  exportPerson,
  erasePerson,
  lookupPerson,
  lookupPersonByQuery,
  getPerson,
  getTimeline,
  putAccount,
  listAccounts,
  getAccount,
  getAccountTimeline,
  listConversations,
  getConversation,
  getAttribution,
  getExplanation,
  getFunnelReport,
  listFunnelPeople,
  getJourneys,
  getLifecycle,
  getRoi,
  getOverview,
  getConversationReport,
  getCultivation,
  getAdvocacy,
  putFunnel,
  listFunnels,
  getFunnel,
  deleteFunnel,
  getSavedFunnelReport,
  putGoal,
  listGoals,
  getGoal,
  archiveGoal,
  listRejections,
  replayRejection(recorders),
  listAudit,
  getWorkspace,
  updateWorkspace,
  createKey,
  listKeys,
  rotateKey,
  deleteKey,
  createToken,
  createWorkspace,
  listWorkspaces,
  deleteWorkspace,
  createKeyOfWorkspace,
  getHealth,
  getReady,
];
