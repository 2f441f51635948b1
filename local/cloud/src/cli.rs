//! The command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::Parser;

use crate::cloud::Options;

/// Runs the whole shop on this machine: API, functions, table, stream and events.
#[derive(Debug, Parser)]
#[command(name = "storefront", version)]
pub struct Args {
    /// The port of the API.
    #[arg(long, default_value_t = 3000)]
    port: u16,

    /// The port of DynamoDB's API, for the AWS CLI or NoSQL Workbench.
    #[arg(long, default_value_t = 8000)]
    dynamodb_port: u16,

    /// The address to listen on. 0.0.0.0 allows connections from containers and other machines.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// The folder that keeps the data between runs.
    #[arg(long, default_value = ".storefront")]
    data_dir: PathBuf,

    /// Keeps the data in memory only, until the process ends.
    #[arg(long, conflicts_with = "data_dir")]
    in_memory: bool,

    /// Leaves an empty table empty, instead of adding a catalogue and users.
    #[arg(long)]
    empty: bool,

    /// The SAM template that defines the shop.
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,

    /// The value of a parameter of the template, instead of its default. May be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
}

fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl From<Args> for Options {
    fn from(args: Args) -> Self {
        Self {
            template: args.template,
            parameters: args.parameters,
            host: args.host,
            port: args.port,
            dynamodb_port: args.dynamodb_port,
            data_dir: (!args.in_memory).then_some(args.data_dir),
            seed: !args.empty,
        }
    }
}
