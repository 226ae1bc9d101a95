//! Scenarios: frames in, frames and counters out.

mod admission;
mod errors;
mod federation;
mod intercept;
mod lab;
mod laws;
mod link;
mod malformed;
mod offload;
