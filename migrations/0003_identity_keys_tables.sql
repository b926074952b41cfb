CREATE TABLE "identity_keys" (
	"workspace_id" uuid NOT NULL,
	"secret_id" text collate "C" NOT NULL,
	"sealed_key" "bytea" NOT NULL,
	"hash_version" smallint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "identity_keys_workspace_id_secret_id_pk" PRIMARY KEY("workspace_id","secret_id")
);
--> statement-breakpoint
ALTER TABLE "identity_keys" ADD CONSTRAINT "identity_keys_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;