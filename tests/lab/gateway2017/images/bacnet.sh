#!/bin/sh
cd /edgex/edgex-device-bacnet || exit 1
python3 FlaskController.py -p 5002 &
java -jar device-bacnet.jar -Djava.security.egd=file:/dev/urandom -Xmx100M
