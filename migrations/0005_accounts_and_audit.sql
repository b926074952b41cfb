CREATE TABLE "account_domains" (
	"workspace_id" uuid NOT NULL,
	"domain" text collate "C" NOT NULL,
	"account_id" text collate "C" NOT NULL,
	"is_put" boolean NOT NULL,
	"claimed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "account_domains_workspace_id_domain_account_id_pk" PRIMARY KEY("workspace_id","domain","account_id")
);
--> statement-breakpoint
CREATE TABLE "account_facts" (
	"workspace_id" uuid NOT NULL,
	"source" text NOT NULL,
	"source_id" text collate "C" NOT NULL,
	"identity_id" bigint,
	"person_id" uuid NOT NULL,
	"account_id" text collate "C" NOT NULL,
	"domain" text collate "C",
	"occurred_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "account_facts_workspace_id_source_source_id_pk" PRIMARY KEY("workspace_id","source","source_id")
);
--> statement-breakpoint
CREATE TABLE "accounts" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"name" text,
	"named_at" timestamp (3) with time zone,
	"is_domain" boolean NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"key_id" text collate "C" NOT NULL,
	"action" text NOT NULL,
	"target_id" text collate "C",
	"fields" text[],
	CONSTRAINT "audit_log_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "account_id" text collate "C";--> statement-breakpoint
ALTER TABLE "touchpoints" ADD COLUMN "account_id" text collate "C";--> statement-breakpoint
ALTER TABLE "touchpoints" ADD COLUMN "referred_by_identity_id" bigint;--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "accounts_from_email" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "account_domains" ADD CONSTRAINT "account_domains_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_domains_account" ON "account_domains" USING btree ("workspace_id","account_id");--> statement-breakpoint
CREATE INDEX "account_facts_person" ON "account_facts" USING btree ("workspace_id","person_id","occurred_at");--> statement-breakpoint
CREATE INDEX "account_facts_account" ON "account_facts" USING btree ("workspace_id","account_id");--> statement-breakpoint
CREATE INDEX "account_facts_domain" ON "account_facts" USING btree ("workspace_id","domain") WHERE domain is not null;--> statement-breakpoint
CREATE INDEX "audit_log_occurred" ON "audit_log" USING btree ("workspace_id","occurred_at");--> statement-breakpoint
CREATE INDEX "person_updates_refused" ON "person_updates" USING btree ("workspace_id","person_id") WHERE not analytics_consent;--> statement-breakpoint
CREATE INDEX "conversions_account" ON "conversions" USING btree ("workspace_id","account_id","goal","occurred_at") WHERE account_id is not null;--> statement-breakpoint
CREATE INDEX "touchpoints_account" ON "touchpoints" USING btree ("workspace_id","account_id","occurred_at") WHERE account_id is not null;--> statement-breakpoint
CREATE INDEX "touchpoints_referred_by" ON "touchpoints" USING btree ("workspace_id","referred_by_identity_id") WHERE referred_by_identity_id is not null;