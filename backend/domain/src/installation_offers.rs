//! What is wrong with what operators offer: Kubernetes versions, and templates. By key, as the configuration spells it.

use crate::installation::{is_name, violation};
use crate::requests::Violation;
use crate::templates::Template;
use crate::versions::{CatalogueVersion, KubernetesVersion};

/// Versions, or templates, that there may be at most.
const MOST: usize = 100;

/// Whatever is wrong with a list, the rest of it is looked at, too.
pub(crate) fn wrong_offers(versions: &[CatalogueVersion], templates: &[Template]) -> Vec<Violation> {
    let mut found = Vec::new();
    if versions.is_empty() {
        found.push(violation("versions", "must offer at least one Kubernetes version"));
    }
    for (key, count) in [("versions", versions.len()), ("templates", templates.len())] {
        if count > MOST {
            found.push(violation(key, format!("must be at most {MOST}")));
        }
    }
    for (index, version) in versions.iter().enumerate() {
        let twice = versions[..index].iter().any(|other| other.version == version.version);
        found.extend(wrong_version(version, twice).map(|(part, message)| violation(&format!("versions[{index}].{part}"), message)));
    }
    for (index, template) in templates.iter().enumerate() {
        let twice = templates[..index].iter().any(|other| other.id == template.id);
        found.extend(wrong_template(template, twice, versions).map(|(part, message)| violation(&format!("templates[{index}].{part}"), message)));
    }
    found
}

/// (field, what is wrong with it)
fn wrong_version(version: &CatalogueVersion, twice: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let release = version.version.parse::<KubernetesVersion>();
    let form = release.is_ok_and(|release| release.to_string() == version.version);
    let found = [
        (!form).then_some(("version", "must have the form v1.36.3")),
        twice.then_some(("version", "is there twice")),
        (!is_name(&version.image, 255)).then_some(("image", "must be 1 to 255 printable characters")),
    ];
    found.into_iter().flatten()
}

/// (field, what is wrong with it)
fn wrong_template(template: &Template, twice: bool, versions: &[CatalogueVersion]) -> impl Iterator<Item = (&'static str, &'static str)> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let id = !template.id.is_empty() && template.id.bytes().all(plain);
    let unknown = template.spec.version.as_ref().is_some_and(|wanted| !versions.iter().any(|version| version.version == *wanted));
    let found = [
        (!id).then_some(("id", "must be of a-z, 0-9 and -")),
        twice.then_some(("id", "is there twice")),
        template.own.then_some(("own", "must be false: only projects keep templates of their own")),
        unknown.then_some(("spec.version", "is not among versions")),
    ];
    found.into_iter().flatten()
}
