"""JSON Schemas of the objects that KubeRay 1.5 serves as ray.io/v1 (fields of its API types), and of the pods in them.

The custom resources are whole: an unknown or misspelt field is refused, as the API server would drop it in silence. Of pods,
the fields that our manifests use are here.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}  # numbers must be quoted
ANY: Schema = {"type": "object"}
QUANTITY: Schema = {"type": "string", "pattern": r"^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"}


def closed(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def many(item: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": item, "minItems": least}


AMOUNTS: Schema = {"type": "object", "additionalProperties": QUANTITY}
CONTAINER = closed(
    ("name", "image"),
    name=TEXT,
    image=TEXT,
    command=many(TEXT),
    args=many(TEXT),
    env=many(closed(("name",), name=TEXT, value={"type": "string"}, valueFrom=ANY)),
    resources=closed((), requests=AMOUNTS, limits=AMOUNTS),
    ports=many(
        closed(("containerPort",), name=TEXT, containerPort={"type": "integer", "minimum": 1, "maximum": 65_535})
    ),
    securityContext=closed(
        (), allowPrivilegeEscalation=FLAG, capabilities=closed((), drop=many(TEXT), add=many(TEXT)), runAsNonRoot=FLAG
    ),
    volumeMounts=many(closed(("name", "mountPath"), name=TEXT, mountPath=TEXT, readOnly=FLAG)),
)
VOLUME = closed(
    ("name",),
    name=TEXT,
    persistentVolumeClaim=closed(("claimName",), claimName=TEXT, readOnly=FLAG),
    emptyDir=closed((), medium={"enum": ["", "Memory"]}, sizeLimit=QUANTITY),
)
POD = closed(
    ("spec",),
    metadata=closed((), labels=TEXTS, annotations=TEXTS),
    spec=closed(
        ("containers",),
        containers=many(CONTAINER, 1),
        volumes=many(VOLUME),
        nodeSelector=TEXTS,
        tolerations=many(
            closed(
                (),
                key=TEXT,
                operator={"enum": ["Exists", "Equal"]},
                value={"type": "string"},
                effect={"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
            )
        ),
        securityContext=closed((), runAsNonRoot=FLAG, runAsUser=COUNT, runAsGroup=COUNT, fsGroup=COUNT),
        terminationGracePeriodSeconds=COUNT,
        serviceAccountName=TEXT,
    ),
)
HEAD = closed(
    ("rayStartParams", "template"),
    rayStartParams=TEXTS,
    template=POD,
    headService=ANY,
    enableIngress=FLAG,
    serviceType={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
)
WORKERS = closed(
    ("groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"),
    groupName=TEXT,
    replicas=COUNT,
    minReplicas=COUNT,
    maxReplicas=COUNT,
    numOfHosts=COUNT,
    idleTimeoutSeconds=COUNT,
    suspend=FLAG,
    rayStartParams=TEXTS,
    template=POD,
    scaleStrategy=closed((), workersToDelete=many(TEXT)),
)
CLUSTER = closed(
    ("headGroupSpec", "rayVersion"),
    rayVersion=TEXT,
    suspend=FLAG,
    managedBy={"enum": ["ray.io/kuberay-operator", "kueue.x-k8s.io/multikueue"]},
    enableInTreeAutoscaling=FLAG,
    headServiceAnnotations=TEXTS,
    authOptions=closed(("mode",), mode={"enum": ["token", "disabled"]}),
    autoscalerOptions=closed(
        (),
        upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
        idleTimeoutSeconds=COUNT,
        version={"enum": ["v1", "v2"]},
        image=TEXT,
        imagePullPolicy={"enum": ["Always", "Never", "IfNotPresent"]},
        resources=ANY,
        securityContext=ANY,
        env=many(ANY),
        envFrom=many(ANY),
        volumeMounts=many(ANY),
    ),
    gcsFaultToleranceOptions=closed(
        ("redisAddress",), redisAddress=TEXT, redisUsername=ANY, redisPassword=ANY, externalStorageNamespace=TEXT
    ),
    headGroupSpec=HEAD,
    workerGroupSpecs=many(WORKERS),
)
JOB = closed(
    ("entrypoint", "rayClusterSpec"),
    entrypoint=TEXT,
    runtimeEnvYAML=TEXT,
    jobId=TEXT,
    metadata=TEXTS,
    clusterSelector=TEXTS,
    submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
    submitterPodTemplate=POD,
    submitterConfig=closed((), backoffLimit=COUNT),
    shutdownAfterJobFinishes=FLAG,
    ttlSecondsAfterFinished=COUNT,
    activeDeadlineSeconds={"type": "integer", "minimum": 1},
    backoffLimit=COUNT,
    suspend=FLAG,
    managedBy={"enum": ["ray.io/kuberay-operator", "kueue.x-k8s.io/multikueue"]},
    deletionStrategy=ANY,
    entrypointNumCpus={"type": "number", "minimum": 0},
    entrypointNumGpus={"type": "number", "minimum": 0},
    entrypointResources=TEXT,
    rayClusterSpec=CLUSTER,
)


def manifest(kind: str, spec: Schema) -> Schema:
    return closed(
        ("apiVersion", "kind", "metadata", "spec"),
        apiVersion={"const": "ray.io/v1"},
        kind={"const": kind},
        metadata=closed(
            ("name",),
            name={"type": "string", "pattern": "^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$"},
            namespace=TEXT,
            labels=TEXTS,
            annotations=TEXTS,
        ),
        spec=spec,
    )


SCHEMAS = {"RayCluster": manifest("RayCluster", CLUSTER), "RayJob": manifest("RayJob", JOB)}
