//! Tests of the node from outside its modules.

mod blobs;
mod commands;
mod crash;
mod disk_full;
mod fixture;
mod following;
mod gateway;
mod gateway_bodies;
mod gateway_quorums;
mod l1;
mod network;
mod processes;
mod reorganisation;
mod reporting;
mod rig;
mod serving;
mod slow;
mod store;
mod submit;
