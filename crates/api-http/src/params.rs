//! What stands in the address: ids in the path, parameters in the query. Nothing unknown is passed over.

use std::borrow::Cow;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use crate::plain;
use crate::problem::Problem;
use crate::wire::Worded;

/// The id in the path.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

impl<S: Send + Sync, T: Worded> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::invalid("the path is not valid UTF-8"))?;
        let (field, text) = params.iter().next().ok_or_else(Problem::internal)?;
        T::read(text).map(Self).map_err(|why| Problem::invalid_field(field, &why))
    }
}

/// No parameters at all.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

/// The parameters of the query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(pair);
    let pairs = pairs.collect::<Result<Vec<_>, Problem>>()?;
    let map = MapDeserializer::<_, ValueError>::new(pairs.into_iter());
    serde_path_to_error::deserialize(map)
        .map_err(|error| plain::problem(error.path(), &error.inner().to_string(), "parameter"))
}

/// Refuses every parameter.
pub(crate) fn none(query: Option<&str>) -> Result<(), Problem> {
    query.map_or(Ok(()), |query| read(query).map(|NoParams {}| ()))
}

fn pair(pair: &str) -> Result<(Cow<'static, str>, Value), Problem> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = decoded(name).ok_or_else(|| {
        Problem::invalid("the name of a parameter is not valid percent-encoded UTF-8")
    })?;
    let value = decoded(value)
        .ok_or_else(|| Problem::invalid_field(&name, "is not valid percent-encoded UTF-8"))?;
    Ok((Cow::Owned(name), Value(value)))
}

fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

/// The text of one parameter; a number, where a number is asked for.
struct Value(String);

impl IntoDeserializer<'_, ValueError> for Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_string(self.0)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0.parse() {
            Ok(number) => visitor.visit_i64(number),
            Err(_) => visitor.visit_string(self.0),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
