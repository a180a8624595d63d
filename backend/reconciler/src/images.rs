//! What servers are made from, by name: the flavor, and the node image.

use crate::act::local_fault;
use crate::world::World;
use cloud::Cloud;
use cloud::compute::Flavor;
use domain::changes::Work;
use domain::codes::Code;
use domain::nodes::Fault;
use domain::versions::IMAGE_PROPERTY;

impl World<'_> {
    /// The flavor of this name.
    pub(crate) async fn flavor(&self, cloud: &Cloud, name: &str) -> Result<Flavor, Fault> {
        let flavors = cloud.compute.flavors().await.map_err(|e| e.fault(name))?;
        flavors.into_iter().find(|f| f.name == name).ok_or_else(|| local_fault(Code::FlavorMissing, format!("there is no flavor {name}"), name))
    }

    /// Id of the image a pool's nodes boot, ready to: one of its own that holds the cluster's version, or the version's.
    pub(crate) async fn image_of(&self, cloud: &Cloud, work: &Work, own: Option<&str>) -> Result<String, Fault> {
        let version = &work.cluster.spec.version;
        let named = own.map_or_else(|| self.image_name(version), |own| Ok(own.to_owned()))?;
        let name = named.as_str();
        let mut images = cloud.images.images_by_name(name).await.map_err(|e| e.fault(name))?;
        if own.is_some() {
            images.retain(|i| i.properties.get(IMAGE_PROPERTY) == Some(version));
        }
        match images.as_slice() {
            [] if own.is_some() => Err(local_fault(Code::ImageMismatch, format!("no image named {name} holds {version}"), name)),
            [] => Err(local_fault(Code::ImageMissing, format!("there is no image named {name}"), name)),
            [image] if image.status == "active" => Ok(image.id.clone()),
            [image] => Err(local_fault(Code::ImageNotReady, format!("image {name} is {}", image.status), name)),
            several => Err(local_fault(Code::Ambiguous, format!("{} images are named {name}", several.len()), name)),
        }
    }

    /// The node image of a version.
    fn image_name(&self, version: &str) -> Result<String, Fault> {
        let entry = (self.services.versions)().into_iter().find(|v| v.version == version);
        entry.map(|v| v.image).ok_or_else(|| local_fault(Code::ImageMissing, format!("version {version} is not offered"), version))
    }
}
