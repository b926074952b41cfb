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
	"identity_id" bigint NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"content_hash" "bytea" NOT NULL,
	"value" numeric,
	"currency" text,
	"touchpoint_id" text collate "C",
	"properties" jsonb,
	CONSTRAINT "conversions_workspace_id_id_pk" PRIMARY KEY("workspace_id","id"),
	CONSTRAINT "conversions_value" CHECK (value >= 0)
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
	"from_secret_key" boolean NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"resource" text NOT NULL,
	"item_id" text collate "C" NOT NULL,
	CONSTRAINT "identity_links_workspace_id_link_id_identity_id_pk" PRIMARY KEY("workspace_id","link_id","identity_id")
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
	CONSTRAINT "keys_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
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
CREATE TABLE "rejections" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"resource" text NOT NULL,
	"item_id" text NOT NULL,
	"item_encrypted" "bytea" NOT NULL,
	"errors" jsonb NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "rejections_workspace_id_id_pk" PRIMARY KEY("workspace_id","id")
);
--> statement-breakpoint
CREATE TABLE "touchpoints" (
	"workspace_id" uuid NOT NULL,
	"id" text collate "C" NOT NULL,
	"person_id" uuid NOT NULL,
	"identity_id" bigint NOT NULL,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"voided_at" timestamp (3) with time zone,
	"content_hash" "bytea" NOT NULL,
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
CREATE TABLE "workspaces" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"timezone" text DEFAULT 'UTC' NOT NULL,
	"currency" text DEFAULT 'USD' NOT NULL,
	"identity_storage" text DEFAULT 'hashed' NOT NULL,
	"default_country" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "conversions" ADD CONSTRAINT "conversions_workspace_id_goal_goals_workspace_id_key_fk" FOREIGN KEY ("workspace_id","goal") REFERENCES "public"."goals"("workspace_id","key") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "goals" ADD CONSTRAINT "goals_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "keys" ADD CONSTRAINT "keys_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rejections" ADD CONSTRAINT "rejections_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "adjustments_conversion" ON "adjustments" USING btree ("workspace_id","conversion_id");--> statement-breakpoint
CREATE INDEX "conversions_goal" ON "conversions" USING btree ("workspace_id","goal","occurred_at");--> statement-breakpoint
CREATE INDEX "conversions_person" ON "conversions" USING btree ("workspace_id","person_id","goal","occurred_at");--> statement-breakpoint
CREATE INDEX "conversions_occurred" ON "conversions" USING btree ("workspace_id","occurred_at");--> statement-breakpoint
CREATE INDEX "conversions_received" ON "conversions" USING btree ("workspace_id","received_at");--> statement-breakpoint
CREATE INDEX "conversions_touchpoint" ON "conversions" USING btree ("workspace_id","touchpoint_id") WHERE touchpoint_id is not null;--> statement-breakpoint
CREATE INDEX "identities_person" ON "identities" USING btree ("workspace_id","person_id");--> statement-breakpoint
CREATE INDEX "identity_links_identity" ON "identity_links" USING btree ("workspace_id","identity_id");--> statement-breakpoint
CREATE UNIQUE INDEX "keys_token_hash" ON "keys" USING btree ("token_hash");--> statement-breakpoint
CREATE INDEX "rejections_received" ON "rejections" USING btree ("workspace_id","received_at");--> statement-breakpoint
CREATE INDEX "touchpoints_journey" ON "touchpoints" USING btree ("workspace_id","person_id","occurred_at");--> statement-breakpoint
CREATE INDEX "touchpoints_occurred" ON "touchpoints" USING btree ("workspace_id","occurred_at");--> statement-breakpoint
CREATE INDEX "touchpoints_received" ON "touchpoints" USING btree ("workspace_id","received_at");--> statement-breakpoint
CREATE INDEX "touchpoints_conversation" ON "touchpoints" USING btree ("workspace_id","conversation","occurred_at") WHERE conversation is not null;