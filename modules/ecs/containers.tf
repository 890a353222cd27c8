locals {
  lease_seconds = tonumber(trimsuffix(lookup(var.settings.leasekeeper, "LEASEKEEPER_LEASE_DURATION", "8s"), "s")) # 8s is the binary's own

  # From SIGTERM to exit. A leasekeeper may need longer than the consumer: it
  # waits for it, then for twice its lease duration at most.
  drain_seconds = {
    consumer    = var.drain_timeout_seconds
    leasekeeper = max(var.drain_timeout_seconds, 2 * local.lease_seconds) + 5
    producer    = 20
  }

  # What every container has: no user, no writable disk, no capability. Empty
  # lists stand here because ECS answers with them: what it does not answer with
  # is a difference, and a difference is a new revision at each deploy.
  container = {
    cpu                    = 0
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    privileged             = false
    linuxParameters        = { capabilities = { add = [], drop = ["ALL"] } }
    portMappings           = []
    mountPoints            = []
    volumesFrom            = []
    systemControls         = []
  }

  # Registered here, so that no task needs the right to register.
  read_mode = var.stream.fan_out == null ? { CONSUMER_READ_MODE = "polling" } : {
    CONSUMER_READ_MODE           = "fanout"
    CONSUMER_FANOUT_CONSUMER_ARN = var.stream.fan_out.arn
  }

  environment = {
    leasekeeper = merge(var.settings.leasekeeper, {
      AWS_REGION                = local.region
      LEASEKEEPER_STREAM        = var.stream.name
      LEASEKEEPER_LEASE_TABLE   = var.tables.leases.name
      LEASEKEEPER_WORKER_TABLE  = var.tables.workers.name
      LEASEKEEPER_LISTEN        = "127.0.0.1:9400"
      LEASEKEEPER_DRAIN_TIMEOUT = "${local.drain_seconds.leasekeeper}s"
    })
    consumer = merge(var.settings.consumer, local.read_mode, {
      AWS_REGION                 = local.region
      CONSUMER_STREAM            = var.stream.name
      CONSUMER_LEASEKEEPER_URL   = "http://127.0.0.1:9400"
      CONSUMER_LISTEN            = "127.0.0.1:9401"
      CONSUMER_MESSAGES_TABLE    = var.tables.messages.name
      CONSUMER_DEAD_LETTER_TABLE = var.tables.dead_letters.name
      CONSUMER_DRAIN_TIMEOUT     = "${local.drain_seconds.consumer}s"
    })
    # A service sends without end, since one that ends is started again, over and
    # over, and slowly, since as fast as it can would never end.
    producer = merge({ PRODUCER_PROGRESS = "log" }, var.producer == "service" ? { PRODUCER_COUNT = "0", PRODUCER_RATE = "100" } : {}, var.settings.producer, {
      AWS_REGION             = local.region
      PRODUCER_STREAM        = var.stream.name
      PRODUCER_LISTEN        = "127.0.0.1:9402"
      PRODUCER_DRAIN_TIMEOUT = "${local.drain_seconds.producer}s"
    })
  }

  # ECS stops the containers against dependsOn: the consumer drains and reports
  # while the leasekeeper still listens, then the leasekeeper gives its leases up.
  containers = {
    for binary, drain_seconds in local.drain_seconds : binary => merge(local.container, {
      name        = binary
      image       = "${var.repositories[binary].url}:${var.versions[binary]}"
      environment = [for key, value in local.environment[binary] : { name = key, value = value }]
      stopTimeout = drain_seconds + 10
      healthCheck = {
        command     = ["CMD", "/${binary}", "healthcheck"]
        interval    = 5
        timeout     = 3
        retries     = 3
        startPeriod = 30
      }
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = local.log_group
          awslogs-region        = local.region
          awslogs-stream-prefix = binary
          mode                  = "non-blocking" # a slow log never holds up a heartbeat
          max-buffer-size       = "4m"
        }
      }
    })
  }
}

resource "aws_ecs_task_definition" "consumer" {
  family                   = "${var.name}-consumer"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task.cpu
  memory                   = var.task.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.consumer.arn
  skip_destroy             = true # the roll-back needs the revision before

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.task.architecture
  }

  # A quarter of the CPU is the leasekeeper's whenever it wants it: a consumer
  # at full load must not make it late for a heartbeat.
  container_definitions = jsonencode([
    merge(local.containers.consumer, {
      cpu       = floor(var.task.cpu * 3 / 4)
      dependsOn = [{ containerName = "leasekeeper", condition = "HEALTHY" }]
    }),
    merge(local.containers.leasekeeper, { cpu = floor(var.task.cpu / 4) }),
  ])
}

# What runs the verbs of an operator, one binary alone, until it ends. The
# command is given to the task that is run.
resource "aws_ecs_task_definition" "verb" {
  for_each = toset(["consumer", "leasekeeper"])

  family                   = "${var.name}-${each.key}-verb"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task.cpu
  memory                   = var.task.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.consumer.arn
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.task.architecture
  }

  container_definitions = jsonencode([merge(
    { for key, value in local.containers[each.key] : key => value if key != "healthCheck" },
    { name = "${each.key}-verb", command = ["help"] },
  )])
}

resource "aws_ecs_task_definition" "producer" {
  count = var.producer == "none" ? 0 : 1

  family                   = "${var.name}-producer"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.producer[0].arn
  skip_destroy             = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.task.architecture
  }

  container_definitions = jsonencode([local.containers.producer])
}
