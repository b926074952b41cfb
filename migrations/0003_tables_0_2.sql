CREATE TABLE "key_usage" (
	"workspace_id" uuid NOT NULL,
	"key_id" text collate "C" NOT NULL,
	"day" date NOT NULL,
	"slot" integer NOT NULL,
	"items" integer DEFAULT 0 NOT NULL,
	"rejections" integer DEFAULT 0 NOT NULL,
	"default_value_conversions" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "key_usage_workspace_id_key_id_day_slot_pk" PRIMARY KEY("workspace_id","key_id","day","slot")
);
--> statement-breakpoint
CREATE TABLE "replaced_items" (
	"workspace_id" uuid NOT NULL,
	"resource" text NOT NULL,
	"id" text collate "C" NOT NULL,
	"identity_id" bigint,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"replaced_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"was" jsonb NOT NULL,
	CONSTRAINT "replaced_items_workspace_id_resource_id_pk" PRIMARY KEY("workspace_id","resource","id")
);
--> statement-breakpoint
CREATE TABLE "identity_keys" (
	"workspace_id" uuid NOT NULL,
	"secret_id" text collate "C" NOT NULL,
	"sealed_key" "bytea" NOT NULL,
	"hash_version" smallint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "identity_keys_workspace_id_secret_id_pk" PRIMARY KEY("workspace_id","secret_id")
);
--> statement-breakpoint
ALTER TABLE "adjustments" ADD COLUMN "content_version" smallint DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "adjustments" ADD COLUMN "waiting_since" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "content_version" smallint DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "from_secret_key" boolean DEFAULT true NOT NULL;
--> statement-breakpoint
ALTER TABLE "conversions" ADD COLUMN "page_link_id" "bytea";
--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "item_digest" "bytea";
--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "item_bytes" integer;
--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "text_hashes" bigint[] DEFAULT '{}' NOT NULL;
--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "key_id" text collate "C";
--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "kept_on" date;
--> statement-breakpoint
ALTER TABLE "touchpoints" ADD COLUMN "content_version" smallint DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "touchpoints" ADD COLUMN "from_secret_key" boolean DEFAULT true NOT NULL;
--> statement-breakpoint
ALTER TABLE "touchpoints" ADD COLUMN "page_link_id" "bytea";
--> statement-breakpoint
ALTER TABLE "spend" ADD COLUMN "content_version" smallint DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "identities" ADD COLUMN "text_hash" bigint;
--> statement-breakpoint
ALTER TABLE "person_updates" ADD COLUMN "content_version" smallint DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "person_updates" ADD COLUMN "from_secret_key" boolean DEFAULT true NOT NULL;
--> statement-breakpoint
ALTER TABLE "person_updates" ADD COLUMN "page_link_id" "bytea";
--> statement-breakpoint
ALTER TABLE "keys" ADD COLUMN "goals" text[];
--> statement-breakpoint
ALTER TABLE "keys" ADD COLUMN "daily_caps" jsonb;
--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "content_version" smallint DEFAULT 1 NOT NULL;
--> statement-breakpoint
ALTER TABLE "key_usage" ADD CONSTRAINT "key_usage_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "replaced_items" ADD CONSTRAINT "replaced_items_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
ALTER TABLE "identity_keys" ADD CONSTRAINT "identity_keys_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "replaced_items_identity" ON "replaced_items" USING btree ("workspace_id","identity_id") WHERE identity_id is not null;
--> statement-breakpoint
CREATE INDEX "replaced_items_occurred" ON "replaced_items" USING btree ("workspace_id","resource","occurred_at");
--> statement-breakpoint
CREATE INDEX "rejections_of_day" ON "rejections" USING btree ("workspace_id","key_id","kept_on");
