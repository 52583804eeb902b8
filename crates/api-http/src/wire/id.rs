//! Ids: text of 1 to 255 bytes without control characters.

use consign_ledger::{AgentId, ClaimId, DelegationId, ID_BYTES_MAX, IdempotencyKey};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::Worded;

macro_rules! ids {
    ($($id:ty: $name:literal, $description:literal);+ $(;)?) => {$(
        impl Worded for $id {
            const NAME: &'static str = $name;

            fn read(text: &str) -> Result<Self, String> {
                Self::new(text).map_err(|why| why.to_string())
            }

            fn schema() -> Object {
                id_schema($description)
            }
        }
    )+};
}

ids! {
    AgentId: "AgentId", "An agent, as caller or callee.";
    ClaimId: "ClaimId", "Chosen by the callee for one act of accepting or claiming; the same one again gives the same leases.";
    DelegationId: "DelegationId", "A delegation's name; it is never freed.";
    IdempotencyKey: "IdempotencyKey", "The caller's business key: one piece of work, however often it is asked for.";
}

fn id_schema(description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(ID_BYTES_MAX))
        .pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]+$"))
        .description(Some(format!(
            "{description} 1 to {ID_BYTES_MAX} bytes of UTF-8, no control characters."
        )))
        .build()
}
