CREATE TABLE "erasures" (
	"workspace_id" uuid NOT NULL,
	"person_id" uuid NOT NULL,
	"erased_at" timestamp (3) with time zone NOT NULL,
	"receipt" jsonb NOT NULL,
	CONSTRAINT "erasures_workspace_id_person_id_pk" PRIMARY KEY("workspace_id","person_id")
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
ALTER TABLE "conversions" ALTER COLUMN "identity_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "conversions" ALTER COLUMN "content_hash" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "touchpoints" ALTER COLUMN "identity_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "touchpoints" ALTER COLUMN "content_hash" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "identity_links" ADD COLUMN "skipped" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "rejections" ADD COLUMN "identity_hashes" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "person_updates_person" ON "person_updates" USING btree ("workspace_id","person_id","occurred_at");--> statement-breakpoint
CREATE INDEX "person_updates_consent" ON "person_updates" USING btree ("workspace_id","person_id","occurred_at") WHERE analytics_consent is not null;--> statement-breakpoint
CREATE INDEX "identity_links_skipped" ON "identity_links" USING btree ("workspace_id","identity_id") WHERE skipped;