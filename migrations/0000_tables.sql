CREATE TABLE "account_domains" (
	"workspace_id" uuid NOT NULL,
	"domain" text collate "C" NOT NULL,
	"account_id" text collate "C" NOT NULL,
	"is_put" boolean NOT NULL,
	"assertion" integer DEFAULT 1 NOT NULL,
	"is_current" boolean DEFAULT true NOT NULL,
	"claimed_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"withdrawn_at" timestamp (3) with time zone,
	CONSTRAINT "account_domains_pk" PRIMARY KEY("workspace_id","domain","account_id","is_put","assertion")
);
--> statement-breakpoint
CREATE TABLE "account_facts" (
	"workspace_id" uuid NOT NULL,
	"source" text NOT NULL,
	"source_id" text collate "C" NOT NULL,
	"assertion" integer DEFAULT 1 NOT NULL,
	"is_current" boolean DEFAULT true NOT NULL,
	"identity_id" bigint,
	"person_id" uuid NOT NULL,
	"account_id" text collate "C" NOT NULL,
	"domain" text collate "C",
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "account_facts_workspace_id_source_source_id_assertion_pk" PRIMARY KEY("workspace_id","source","source_id","assertion")
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
CREATE TABLE "conversations" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"opened_at" timestamp (3) with time zone,
	"opening_id" text collate "C",
	"first_response_at" timestamp (3) with time zone,
	"first_response_id" text collate "C",
	"last_at" timestamp (3) with time zone NOT NULL,
	"last_id" text collate "C" NOT NULL,
	"last_direction" text NOT NULL,
	"inbound" integer NOT NULL,
	"outbound" integer NOT NULL,
	CONSTRAINT "conversations_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "adjustments" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"conversion_id" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"value" numeric,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"content_hash" "bytea" NOT NULL,
	CONSTRAINT "adjustments_workspace_id_id_pk" PRIMARY KEY("workspace_id","id"),
	CONSTRAINT "adjustments_value" CHECK (value >= 0)
);
--> statement-breakpoint
CREATE TABLE "conversions" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"goal" text collate "C" NOT NULL,
	"person_id" uuid NOT NULL,
	"identity_id" bigint,
	"account_id" text collate "C",
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"content_hash" "bytea",
	"value" numeric,
	"currency" text NOT NULL,
	"touchpoint_id" text collate "C",
	"properties" jsonb,
	CONSTRAINT "conversions_workspace_id_id_pk" PRIMARY KEY("workspace_id","id"),
	CONSTRAINT "conversions_value" CHECK (value >= 0)
);
--> statement-breakpoint
CREATE TABLE "rejections" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"resource" text NOT NULL,
	"item_id" text NOT NULL,
	"item_encrypted" "bytea" NOT NULL,
	"errors" jsonb NOT NULL,
	"identity_hashes" text[] DEFAULT '{}' NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "rejections_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "touchpoints" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"person_id" uuid NOT NULL,
	"identity_id" bigint,
	"account_id" text collate "C",
	"referred_by_identity_id" bigint,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"voided_at" timestamp (3) with time zone,
	"content_hash" "bytea",
	"kind" text NOT NULL,
	"direction" text,
	"stage" text,
	"channel" text NOT NULL,
	"source" text,
	"medium" text,
	"campaign" text,
	"content" text,
	"term" text,
	"conversation" text collate "C",
	"topic" text,
	"sentiment" real,
	"url" text,
	"referrer" text,
	"properties" jsonb,
	CONSTRAINT "touchpoints_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "fx_rates" (
	"workspace_id" uuid NOT NULL,
	"date" date NOT NULL,
	"from" text NOT NULL,
	"to" text NOT NULL,
	"rate" numeric NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "fx_rates_workspace_id_from_to_date_pk" PRIMARY KEY("workspace_id","from","to","date"),
	CONSTRAINT "fx_rates_rate" CHECK (rate > 0),
	CONSTRAINT "fx_rates_pair" CHECK ("from" <> "to")
);
--> statement-breakpoint
CREATE TABLE "spend" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"from" date NOT NULL,
	"to" date NOT NULL,
	"channel" text,
	"source" text,
	"medium" text,
	"campaign" text,
	"amount" numeric NOT NULL,
	"currency" text NOT NULL,
	"content_hash" "bytea" NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "spend_workspace_id_id_pk" PRIMARY KEY("workspace_id","id"),
	CONSTRAINT "spend_amount" CHECK (amount >= 0),
	CONSTRAINT "spend_order" CHECK ("from" <= "to")
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"workspace_id" uuid NOT NULL,
	"person_id" uuid NOT NULL,
	"erased_at" timestamp (3) with time zone NOT NULL,
	"receipt" jsonb NOT NULL,
	CONSTRAINT "erasures_workspace_id_person_id_pk" PRIMARY KEY("workspace_id","person_id")
);
--> statement-breakpoint
CREATE TABLE "identities" (
	"workspace_id" uuid NOT NULL,
	"namespace" text collate "C" NOT NULL,
	"value_hash" "bytea" NOT NULL,
	"hash_version" smallint NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "identities_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"person_id" uuid NOT NULL,
	"value" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "identities_workspace_id_namespace_value_hash_pk" PRIMARY KEY("workspace_id","namespace","value_hash"),
	CONSTRAINT "identities_id" UNIQUE("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "identity_links" (
	"workspace_id" uuid NOT NULL,
	"link_id" "bytea" NOT NULL,
	"identity_id" bigint NOT NULL,
	"assertion" integer DEFAULT 1 NOT NULL,
	"is_current" boolean DEFAULT true NOT NULL,
	"from_secret_key" boolean NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"unlinked_at" timestamp (3) with time zone,
	"resource" text NOT NULL,
	"item_id" text collate "C" NOT NULL,
	"skipped" boolean DEFAULT false NOT NULL,
	"pending" boolean DEFAULT false NOT NULL,
	"holds_user_id" boolean NOT NULL,
	"precedence" smallint GENERATED ALWAYS AS ((not from_secret_key)::int) STORED NOT NULL,
	CONSTRAINT "identity_links_workspace_id_link_id_identity_id_assertion_pk" PRIMARY KEY("workspace_id","link_id","identity_id","assertion")
);
--> statement-breakpoint
CREATE TABLE "link_cursors" (
	"workspace_id" uuid NOT NULL,
	"identity_id" bigint NOT NULL,
	"precedence" smallint NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"item_id" text collate "C" NOT NULL,
	"resource" text NOT NULL,
	"link_id" "bytea" NOT NULL,
	CONSTRAINT "link_cursors_workspace_id_identity_id_pk" PRIMARY KEY("workspace_id","identity_id")
);
--> statement-breakpoint
CREATE TABLE "people" (
	"workspace_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"merged_into" uuid,
	CONSTRAINT "people_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "person_updates" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"person_id" uuid NOT NULL,
	"identity_id" bigint,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"content_hash" "bytea",
	"traits" jsonb,
	"analytics_consent" boolean,
	CONSTRAINT "person_updates_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "tombstones" (
	"workspace_id" uuid NOT NULL,
	"namespace" text collate "C" NOT NULL,
	"value_hash" "bytea" NOT NULL,
	"erased_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "tombstones_workspace_id_namespace_value_hash_pk" PRIMARY KEY("workspace_id","namespace","value_hash")
);
--> statement-breakpoint
CREATE TABLE "funnels" (
	"workspace_id" uuid NOT NULL,
	"key" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"definition" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "funnels_workspace_id_key_pk" PRIMARY KEY("workspace_id","key")
);
--> statement-breakpoint
CREATE TABLE "slow_reports" (
	"workspace_id" uuid NOT NULL,
	"question" "bytea" NOT NULL,
	"until_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "slow_reports_workspace_id_question_pk" PRIMARY KEY("workspace_id","question")
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
CREATE TABLE "goals" (
	"workspace_id" uuid NOT NULL,
	"key" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"stage" text,
	"lookback_days" integer DEFAULT 90 NOT NULL,
	"default_value" numeric,
	"currency" text,
	"counting" text DEFAULT 'every' NOT NULL,
	"match" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "goals_workspace_id_key_pk" PRIMARY KEY("workspace_id","key")
);
--> statement-breakpoint
CREATE TABLE "keys" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"scopes" text[] NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"allowed_origins" text[],
	"last_used_on" date,
	CONSTRAINT "keys_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "row_versions" (
	"workspace_id" uuid NOT NULL,
	"table_name" text NOT NULL,
	"row_key" text collate "C" NOT NULL,
	"version" integer NOT NULL,
	"replaced_at" timestamp (3) with time zone NOT NULL,
	"was" jsonb NOT NULL,
	CONSTRAINT "row_versions_workspace_id_table_name_row_key_version_pk" PRIMARY KEY("workspace_id","table_name","row_key","version")
);
--> statement-breakpoint
CREATE TABLE "workspaces" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"timezone" text DEFAULT 'UTC' NOT NULL,
	"currency" text DEFAULT 'USD' NOT NULL,
	"identity_storage" text DEFAULT 'hashed' NOT NULL,
	"default_country" text,
	"retention_days" integer,
	"accounts_from_email" boolean DEFAULT false NOT NULL,
	"business_hours" jsonb,
	"default_model" text DEFAULT 'linear' NOT NULL,
	"trust_publishable_values" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "account_domains" ADD CONSTRAINT "account_domains_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "conversions" ADD CONSTRAINT "conversions_workspace_id_goal_goals_workspace_id_key_fk" FOREIGN KEY ("workspace_id","goal") REFERENCES "public"."goals"("workspace_id","key") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rejections" ADD CONSTRAINT "rejections_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fx_rates" ADD CONSTRAINT "fx_rates_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "spend" ADD CONSTRAINT "spend_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "funnels" ADD CONSTRAINT "funnels_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "slow_reports" ADD CONSTRAINT "slow_reports_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "goals" ADD CONSTRAINT "goals_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "row_versions" ADD CONSTRAINT "row_versions_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_domains_account" ON "account_domains" USING btree ("workspace_id","account_id");--> statement-breakpoint
CREATE INDEX "account_facts_person" ON "account_facts" USING btree ("workspace_id","person_id","occurred_at");--> statement-breakpoint
CREATE INDEX "account_facts_account" ON "account_facts" USING btree ("workspace_id","account_id");--> statement-breakpoint
CREATE INDEX "account_facts_domain" ON "account_facts" USING btree ("workspace_id","domain") WHERE domain is not null;--> statement-breakpoint
CREATE INDEX "accounts_created" ON "accounts" USING btree ("workspace_id","created_at","id");--> statement-breakpoint
CREATE INDEX "conversations_opened" ON "conversations" USING btree ("workspace_id","opened_at") WHERE opened_at is not null;--> statement-breakpoint
CREATE INDEX "conversations_last" ON "conversations" USING btree ("workspace_id","last_at","id");--> statement-breakpoint
CREATE INDEX "conversations_waiting" ON "conversations" USING btree ("workspace_id","last_at","id") WHERE last_direction = 'inbound';--> statement-breakpoint
CREATE INDEX "adjustments_conversion" ON "adjustments" USING btree ("workspace_id","conversion_id");--> statement-breakpoint
CREATE INDEX "conversions_goal" ON "conversions" USING btree ("workspace_id","goal","occurred_at");--> statement-breakpoint
CREATE INDEX "conversions_person" ON "conversions" USING btree ("workspace_id","person_id","goal","occurred_at");--> statement-breakpoint
CREATE INDEX "conversions_account" ON "conversions" USING btree ("workspace_id","account_id","goal","occurred_at") WHERE account_id is not null;--> statement-breakpoint
CREATE INDEX "conversions_occurred" ON "conversions" USING btree ("workspace_id","occurred_at");--> statement-breakpoint
CREATE INDEX "conversions_received" ON "conversions" USING btree ("workspace_id","received_at");--> statement-breakpoint
CREATE INDEX "conversions_touchpoint" ON "conversions" USING btree ("workspace_id","touchpoint_id") WHERE touchpoint_id is not null;--> statement-breakpoint
CREATE INDEX "rejections_received" ON "rejections" USING btree ("workspace_id","received_at");--> statement-breakpoint
CREATE INDEX "touchpoints_journey" ON "touchpoints" USING btree ("workspace_id","person_id","occurred_at");--> statement-breakpoint
CREATE INDEX "touchpoints_account" ON "touchpoints" USING btree ("workspace_id","account_id","occurred_at") WHERE account_id is not null;--> statement-breakpoint
CREATE INDEX "touchpoints_referred_by" ON "touchpoints" USING btree ("workspace_id","referred_by_identity_id") WHERE referred_by_identity_id is not null;--> statement-breakpoint
CREATE INDEX "touchpoints_kind" ON "touchpoints" USING btree ("workspace_id","kind","occurred_at","person_id","id","voided_at");--> statement-breakpoint
CREATE INDEX "touchpoints_occurred" ON "touchpoints" USING btree ("workspace_id","occurred_at");--> statement-breakpoint
CREATE INDEX "touchpoints_received" ON "touchpoints" USING btree ("workspace_id","received_at");--> statement-breakpoint
CREATE INDEX "touchpoints_conversation" ON "touchpoints" USING btree ("workspace_id","conversation","occurred_at") WHERE conversation is not null;--> statement-breakpoint
CREATE INDEX "spend_days" ON "spend" USING btree ("workspace_id","to","from");--> statement-breakpoint
CREATE INDEX "spend_received" ON "spend" USING btree ("workspace_id","received_at","id");--> statement-breakpoint
CREATE INDEX "spend_updated" ON "spend" USING btree ("workspace_id","updated_at");--> statement-breakpoint
CREATE INDEX "identities_person" ON "identities" USING btree ("workspace_id","person_id");--> statement-breakpoint
CREATE INDEX "identity_links_identity" ON "identity_links" USING btree ("workspace_id","identity_id","occurred_at");--> statement-breakpoint
CREATE INDEX "identity_links_applied" ON "identity_links" USING btree ("workspace_id","identity_id","precedence","occurred_at","item_id") WHERE is_current and not skipped;--> statement-breakpoint
CREATE INDEX "identity_links_skipped" ON "identity_links" USING btree ("workspace_id","identity_id","holds_user_id","precedence","occurred_at","item_id") WHERE is_current and skipped;--> statement-breakpoint
CREATE INDEX "identity_links_pending" ON "identity_links" USING btree ("workspace_id","precedence","occurred_at","item_id") WHERE pending;--> statement-breakpoint
CREATE INDEX "people_merged" ON "people" USING btree ("workspace_id","merged_into") WHERE merged_into is not null;--> statement-breakpoint
CREATE INDEX "person_updates_person" ON "person_updates" USING btree ("workspace_id","person_id","occurred_at");--> statement-breakpoint
CREATE INDEX "person_updates_consent" ON "person_updates" USING btree ("workspace_id","person_id","occurred_at") WHERE analytics_consent is not null;--> statement-breakpoint
CREATE INDEX "person_updates_refused" ON "person_updates" USING btree ("workspace_id","person_id") WHERE not analytics_consent;--> statement-breakpoint
CREATE INDEX "audit_log_occurred" ON "audit_log" USING btree ("workspace_id","occurred_at");--> statement-breakpoint
CREATE UNIQUE INDEX "keys_token_hash" ON "keys" USING btree ("token_hash");