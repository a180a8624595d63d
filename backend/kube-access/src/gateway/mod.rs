//! stub
use crate::channel::Channel;
#[derive(Clone, Debug)]
pub struct Gateway {
    channel: Channel,
}
impl Gateway {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }
}
#[derive(Clone, Debug)]
pub struct Impersonation;
