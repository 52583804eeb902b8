//! The HTTP door: it turns requests into commands and questions, and outcomes into JSON.
//!
//! It decides nothing. Each operation has one file, with the request it takes, its page of the OpenAPI
//! document and its handler; `problem` holds the only table from a refusal to a status.

pub mod limits;

mod app;
mod batch;
mod body;
mod cursor;
mod exposition;
mod guard;
mod hosts;
mod openapi;
mod operation;
mod params;
mod parse;
mod plain;
mod problem;
mod reply;
mod shape;
mod wire;

pub use app::{App, router};
pub use hosts::Hosts;
