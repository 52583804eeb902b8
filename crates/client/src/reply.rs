//! An answer, understood and as it came.

use serde::de::DeserializeOwned;

use crate::error::Error;

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Reply<T> {
    /// As far as it is understood here.
    pub value: T,
    /// The JSON as it came, with everything that a newer server may say.
    pub text: String,
}

impl<T: DeserializeOwned> Reply<T> {
    pub(crate) fn read(text: String) -> Result<Self, Error> {
        let value = serde_json::from_str(&text).map_err(Error::NotUnderstood)?;
        Ok(Self { value, text })
    }
}
